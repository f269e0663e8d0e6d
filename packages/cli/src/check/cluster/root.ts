import { X509Certificate } from "node:crypto";
import { error, type Finding, ok, warning } from "@keelson/bpf-applier/finding";
import { z } from "zod";
import type { Cluster } from "./cluster.ts";

const name = "istio-ca-root-cert";
const configMap = z.object({
  metadata: z.object({ namespace: z.string() }),
  data: z.record(z.string(), z.string()).optional(),
});
const namespaceObject = z.object({ metadata: z.object({ name: z.string() }) });

/** As istiod, which leaves these out (pkg/config/constants, and its namespace controller). */
const leftOut: ReadonlySet<string> = new Set(["kube-public", "kube-node-lease", "local-path-storage"]);

/** The root by which workloads know the control plane and each other, in every namespace. */
export async function rootFindings(cluster: Cluster, now: Date): Promise<Finding[]> {
  const maps = await cluster.list(
    `/api/v1/configmaps?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`,
    configMap,
  );
  const namespaces = await cluster.list("/api/v1/namespaces", namespaceObject);
  const roots = new Map(
    maps.map(({ metadata, data }) => [metadata.namespace, data?.["root-cert.pem"] ?? ""]),
  );
  return judgeRoots(
    roots,
    namespaces.map((one) => one.metadata.name).filter((one) => !leftOut.has(one)),
    now,
  );
}

/** Roots that end within this time are warned of. */
const soonDays = 30;
const dayMs = 86_400_000;

/** @param roots PEM by namespace */
export function judgeRoots(
  roots: ReadonlyMap<string, string>,
  namespaces: readonly string[],
  now: Date,
): Finding[] {
  const check = "root certificate";
  if (roots.size === 0)
    return [
      error(check, `no ConfigMap ${name} anywhere`, "agents and workloads wait for it: see docs/install.md"),
    ];
  const missing = namespaces.filter((one) => !roots.has(one));
  const different = new Set(roots.values());
  return [
    judgeEnd([...different][0] ?? "", now),
    ...(different.size === 1
      ? []
      : [
          error(
            check,
            `${different.size} different ones in ${roots.size} namespaces`,
            "workloads that hold different roots do not trust each other",
          ),
        ]),
    missing.length === 0
      ? ok("root in namespaces", `in all ${namespaces.length}`)
      : warning(
          "root in namespaces",
          `not in ${missing.join(", ")}`,
          "workloads there cannot reach the control plane over TLS",
        ),
  ];
}

function judgeEnd(pem: string, now: Date): Finding {
  const check = "root certificate";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return error(check, `${name} holds no certificate under root-cert.pem`, "see docs/install.md");
  }
  const days = Math.floor((certificate.validToDate.getTime() - now.getTime()) / dayMs);
  const found = `${certificate.subject.replaceAll("\n", ", ")}, ends on ${certificate.validToDate.toISOString().slice(0, 10)}`;
  if (days < 0)
    return error(check, `${found}: over`, "replace it: nothing that it signed is trusted any more");
  if (days < soonDays) return warning(check, `${found}: ${days} days left`, "replace it before");
  return ok(check, found);
}
