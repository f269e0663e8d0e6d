// What the runner reads of Kubernetes' core/v1 Pod; a field that is not here is one that it would pass over, and refuses.
import { z } from "zod";

const valueFrom = z.strictObject({
  fieldRef: z.strictObject({ apiVersion: z.string().optional(), fieldPath: z.string() }).optional(),
  resourceFieldRef: z
    .strictObject({
      resource: z.enum(["limits.cpu", "limits.memory"]),
      divisor: z.enum(["0", "1"]).optional(),
    })
    .optional(),
});
export type ValueFrom = z.output<typeof valueFrom>;

const httpGet = z.strictObject({
  path: z.string(),
  port: z.union([z.string(), z.number()]),
  scheme: z.literal("HTTP").optional(),
});

const probe = z.strictObject({
  httpGet,
  initialDelaySeconds: z.number().optional(),
  periodSeconds: z.number().optional(),
  timeoutSeconds: z.number().optional(),
  successThreshold: z.number().optional(),
  failureThreshold: z.number().optional(),
});

/** What container runtimes give where nothing is said (containerd's defaultUnixCaps). */
const usualCapabilities = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
];

const securityContext = z.strictObject({
  runAsNonRoot: z.boolean().optional(),
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  readOnlyRootFilesystem: z.boolean().default(false),
  // As if it were false, in any case.
  allowPrivilegeEscalation: z.boolean().optional(),
  privileged: z.literal(false).optional(),
  capabilities: z
    .strictObject({ drop: z.tuple([z.literal("ALL")]), add: z.array(z.string()).default([]) })
    .default({ drop: ["ALL"], add: usualCapabilities }),
  // No profile of seccomp is applied here.
  seccompProfile: z.unknown().optional(),
});

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).default([]),
  env: z
    .array(
      z.strictObject({ name: z.string(), value: z.string().optional(), valueFrom: valueFrom.optional() }),
    )
    .default([]),
  ports: z.array(z.looseObject({ name: z.string().optional(), containerPort: z.number() })).default([]),
  readinessProbe: probe.optional(),
  securityContext: securityContext.prefault({}),
  volumeMounts: z
    .array(
      z.strictObject({
        name: z.string(),
        mountPath: z.string(),
        readOnly: z.boolean().default(false),
        recursiveReadOnly: z.string().optional(),
      }),
    )
    .default([]),
  // Of no meaning without other pods, a registry, and logs in the API.
  resources: z.unknown().optional(),
  imagePullPolicy: z.string().optional(),
  terminationMessagePath: z.string().optional(),
  terminationMessagePolicy: z.string().optional(),
});

const optional = z.boolean().default(false);
const mode = z.number().optional();

const volume = z.strictObject({
  name: z.string(),
  configMap: z.strictObject({ name: z.string(), optional, defaultMode: mode }).optional(),
  secret: z.strictObject({ secretName: z.string(), optional, defaultMode: mode }).optional(),
  hostPath: z.strictObject({ path: z.string(), type: z.string().optional() }).optional(),
  emptyDir: z.looseObject({}).optional(),
  projected: z
    .strictObject({
      defaultMode: mode,
      sources: z.array(
        z.strictObject({
          serviceAccountToken: z.strictObject({
            audience: z.string(),
            expirationSeconds: z.number().optional(),
            path: z.string(),
          }),
        }),
      ),
    })
    .optional(),
});

export const podSpec = z.strictObject({
  serviceAccountName: z.string().default("default"),
  automountServiceAccountToken: z.boolean().default(true),
  containers: z.tuple([container]),
  volumes: z.array(volume).default([]),
  securityContext: z.strictObject({ fsGroup: z.number().optional() }).default({}),
  restartPolicy: z.string().optional(),
  // For the scheduler.
  nodeSelector: z.unknown().optional(),
  tolerations: z.unknown().optional(),
  priorityClassName: z.string().optional(),
  // What the API server fills in.
  serviceAccount: z.string().optional(),
  dnsPolicy: z.string().optional(),
  schedulerName: z.string().optional(),
  terminationGracePeriodSeconds: z.number().optional(),
  enableServiceLinks: z.boolean().optional(),
  preemptionPolicy: z.string().optional(),
  priority: z.number().optional(),
});
export type PodSpec = z.output<typeof podSpec>;
export type Container = z.output<typeof container>;
export type Volume = z.output<typeof volume>;
