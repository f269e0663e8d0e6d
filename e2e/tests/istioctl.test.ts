// The real istioctl looks at a real istiod and at Keelson's control plane, both with the same objects and the same
// pilot-agent with its Envoy: what it says of them differs only where this file says so.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { PeerName } from "../peers/install/recipes.ts";
import { istioNamespace, prepareForIstio } from "../peers/istio-objects.ts";
import { runIstioctl } from "../peers/istioctl.ts";
import { forUpstreamEnvoy, type Istiod, startIstiod } from "../peers/istiod.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotAgent, startPilotAgent } from "../peers/pilot-agent.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import type { KubernetesObject } from "../world/objects.ts";

const peers: readonly PeerName[] = [
  "etcd",
  "kube-apiserver",
  "kubectl",
  "istiod",
  "istioctl",
  "pilot-agent",
  "envoy",
];
const setUpTimeoutMs = 300_000;
const proxy = { name: "client", namespace: "default", serviceAccount: "client" };
/** Where the proxy says that it is; no endpoint of any service. */
const proxyAddress = "10.1.9.9";

/** A control plane that is looked at, and the proxy that follows it. */
interface Subject {
  readonly plane: Istiod | PilotDiscovery;
  readonly agent: PilotAgent;
  /** What Envoy's admin pages config_dump and clusters say, as files. */
  readonly dumpFile: string;
  readonly clustersFile: string;
}

let apiserver: KubeApiserver;
let istiod: Subject;
let ours: Subject;

beforeAll(async () => {
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await prepareForIstio(apiserver);
  await apiserver.apply(...objects);
  const planes = {
    istiod: await startIstiod({ apiserver, mode: "secure", environment: forUpstreamEnvoy }),
    ours: await startPilotDiscovery({
      objects: await storedObjects(),
      environment: { JWT_RULE: await tokensOfApiserver() },
    }),
  };
  istiod = await follow(planes.istiod, await rootOfIstiod());
  ours = await follow(planes.ours, await rootOfOurs(planes.ours));
}, setUpTimeoutMs);

afterAll(async () => {
  for (const subject of [istiod, ours]) {
    await subject?.agent.stop();
    await subject?.plane.stop();
  }
  await apiserver?.stop();
});

const meta = (name: string): object => ({ metadata: { name, namespace: "default" } });
const networking = { apiVersion: "networking.istio.io/v1" };

const objects: readonly object[] = [
  { apiVersion: "v1", kind: "ServiceAccount", ...meta(proxy.serviceAccount) },
  {
    apiVersion: "v1",
    kind: "Service",
    ...meta("reviews"),
    spec: { selector: { app: "reviews" }, ports: [{ port: 9080, name: "http" }] },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: "reviews-1",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "reviews" },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 9080, protocol: "TCP" }],
    endpoints: [{ addresses: ["10.1.1.1"], conditions: { ready: true } }],
  },
  {
    ...networking,
    kind: "ServiceEntry",
    ...meta("elsewhere"),
    spec: {
      hosts: ["elsewhere.test"],
      addresses: ["10.96.1.1"],
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      resolution: "STATIC",
      endpoints: [{ address: "10.1.1.2" }],
    },
  },
  {
    ...networking,
    kind: "VirtualService",
    ...meta("reviews"),
    spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" } }] }] },
  },
];

/** The objects as the API server has them, with addresses. */
async function storedObjects(): Promise<KubernetesObject[]> {
  const kinds = ["services", "endpointslices", "serviceentries", "virtualservices"];
  const lists = await Promise.all(
    kinds.map(async (kind) => JSON.parse(await apiserver.kubectl(["get", kind, "-A", "-o", "json"]))),
  );
  return lists.flatMap(({ items }) => items as KubernetesObject[]);
}

/** A rule by which the API server's tokens are accepted. */
async function tokensOfApiserver(): Promise<string> {
  const { issuer } = JSON.parse(
    await apiserver.kubectl(["get", "--raw", "/.well-known/openid-configuration"]),
  );
  const jwks = await apiserver.kubectl(["get", "--raw", "/openid/v1/jwks"]);
  return JSON.stringify({ issuer, jwks, audiences: ["istio-ca"] });
}

async function rootOfIstiod(): Promise<string> {
  const where = ["-n", istioNamespace, "configmap", "istio-ca-root-cert"];
  return apiserver.kubectl(["get", ...where, "-o", "jsonpath={.data.root-cert\\.pem}"]);
}

async function rootOfOurs({ process }: PilotDiscovery): Promise<string> {
  const stored = JSON.parse(await readFile(join(process.folder, "state", "ca-root.json"), "utf8"));
  return stored["ca-cert.pem"];
}

async function follow(plane: Subject["plane"], rootCertificate: string): Promise<Subject> {
  const agent = await startPilotAgent({
    discoveryAddress: `127.0.0.1:${plane.ports.secureGrpc}`,
    discoveryName: "istiod.istio-system.svc",
    rootCertificate,
    token: await apiserver.serviceAccountToken(proxy.namespace, proxy.serviceAccount, "istio-ca"),
    pod: proxy,
    address: proxyAddress,
    environment: { ISTIO_META_CLUSTER_ID: "Kubernetes" },
  });
  await agent.ready();
  const folder = await peerRunFolder("dumps");
  const [dumpFile, clustersFile] = [join(folder, "config_dump.json"), join(folder, "clusters.json")];
  await writeFile(dumpFile, (await agent.admin("/config_dump?include_eds")).body);
  await writeFile(clustersFile, (await agent.admin("/clusters?format=json")).body);
  return { plane, agent, dumpFile, clustersFile };
}

interface Said {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** What istioctl says, without what differs from run to run. */
async function istioctl(args: readonly string[]): Promise<Said> {
  const { code, stdout, stderr } = await runIstioctl(args, { kubeconfig: apiserver.kubeconfig });
  return { code, stdout: steady(stdout), stderr: steady(stderr) };
}

/** Of a control plane, over its port with TLS. */
const remotely = ({ plane }: Subject, ...args: string[]): Promise<Said> =>
  istioctl([...args, "--xds-address", `127.0.0.1:${plane.ports.secureGrpc}`, "--insecure"]);

const steady = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+Z\/\d+[-0-9a-f]{0,36}/g, "VERSION")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replaceAll(/\b127\.0\.0\.1:\d+/g, "ADDRESS")
    .replaceAll(/(?<=default-|pilot-agent-)\d+\b/g, "N")
    .replaceAll(/\(\d+m?s\)/g, "(AGE)");

const debugPage = async (subject: Subject, page: string): Promise<unknown> => {
  const { code, stdout } = await remotely(subject, "x", "internal-debug", page);
  expect(code).toBe(0);
  return JSON.parse(stdout);
};

describe("the same from both:", () => {
  const commands: readonly (readonly string[])[] = [
    ["proxy-status"],
    ["proxy-status", "-v", "1"],
    ["x", "internal-debug", "--list"],
    ...[
      "ambientz",
      "authorizationz",
      "clusterz",
      "edsz",
      "edsz?proxyID=nobody",
      "instancesz",
      "mcsz",
      "ndsz?proxyID=client",
      "networkz",
      "nothing",
      "pushcontext",
      "telemetryz",
    ].map((page) => ["x", "internal-debug", page]),
  ];
  for (const args of commands) {
    peerTest(peers, `istioctl ${args.join(" ")}`, async () => {
      const said = await remotely(ours, ...args);
      expect(said).toEqual(await remotely(istiod, ...args));
      expect(said.stdout + said.stderr).not.toBe("");
    });
  }

  peerTest(peers, "istioctl proxy-status POD: Envoy has what the control plane would send it", async () => {
    for (const subject of [istiod, ours]) {
      const { code, stdout } = await remotely(
        subject,
        "proxy-status",
        "client.default",
        "--file",
        subject.dumpFile,
      );
      expect({ code, stdout }).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Clusters Match\nListeners Match\n/),
      });
      expect(stdout).toMatch(/^Routes Match/m);
    }
  });

  for (const config of ["clusters", "endpoints", "routes"]) {
    peerTest(peers, `istioctl proxy-config ${config}`, async () => {
      const said = await proxyConfig(ours, config);
      expect(said).toEqual(await proxyConfig(istiod, config));
      expect(said.length).toBeGreaterThan(3);
    });
  }
});

/** Lines that istioctl says of Envoy's own dump, sorted: Envoy tells parts of it in any order. */
async function proxyConfig({ dumpFile, clustersFile }: Subject, config: string): Promise<string[]> {
  const file = config === "endpoints" ? clustersFile : dumpFile;
  const { code, stdout, stderr } = await istioctl(["proxy-config", config, "--file", file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .sort();
}

describe("differs, since", () => {
  peerTest(peers, "each says its own version", async () => {
    const ourVersion = "0.1.0";
    const [theirs, own] = [await remotely(istiod, "x", "version"), await remotely(ours, "x", "version")];
    expect(own.stdout).toContain(`control plane version: ${ourVersion}`);
    const theirVersion = /control plane version: (\S+)/.exec(theirs.stdout)?.[1] ?? "";
    expect(own.stdout.replace(ourVersion, theirVersion)).toBe(theirs.stdout);
    const status = async (subject: Subject): Promise<Record<string, unknown>> =>
      JSON.parse((await remotely(subject, "proxy-status", "-o", "json")).stdout);
    const { controlPlane: ourPlane, ...ourStatus } = await status(ours);
    const { controlPlane: theirPlane, ...theirStatus } = await status(istiod);
    expect(ourStatus).toEqual(theirStatus);
    const identify = (plane: unknown): object => JSON.parse((plane as { identifier: string }).identifier);
    expect(identify(ourPlane)).toMatchObject({ Component: "istiod", ID: "istiod-test" });
    expect(identify(theirPlane)).toMatchObject({ Component: "istiod", ID: "istiod-test" });
  });

  peerTest(peers, "istiod lists connections in any order", async () => {
    for (const page of ["syncz", "connections"]) {
      const sorted = async (subject: Subject): Promise<string[]> => {
        const answer = await debugPage(subject, page);
        const list = Array.isArray(answer) ? answer : (answer as { clients: unknown[] }).clients;
        return list.map((each) => JSON.stringify(each)).sort();
      };
      expect(await sorted(ours)).toEqual(await sorted(istiod));
    }
  });

  peerTest(peers, "istiod adds labels of its own to a proxy's", async () => {
    const client = async (subject: Subject): Promise<Record<string, unknown>> => {
      const { clients } = (await debugPage(subject, "adsz?proxyID=client")) as {
        clients: Record<string, unknown>[];
      };
      const { labels, metadata, ...rest } = clients[0] ?? {};
      expect(Object.keys(metadata as object)).toEqual(expect.arrayContaining(["PROXY_CONFIG", "NAMESPACE"]));
      expect(labels ?? {}).toBeTypeOf("object");
      return { ...rest, watches: Object.keys(rest["watches"] as object).sort() };
    };
    expect(await client(ours)).toEqual(await client(istiod));
  });

  peerTest(peers, "istiod shows more of a service, an endpoint and an object", async () => {
    const names = async (
      subject: Subject,
      page: string,
      nameOf: (each: never) => string,
    ): Promise<ReadonlySet<string>> => new Set(((await debugPage(subject, page)) as never[]).map(nameOf));
    const hostname = ({ hostname: name }: { hostname: string }): string => name;
    expect(await names(ours, "registryz", hostname)).toEqual(await names(istiod, "registryz", hostname));
    const named = ({ kind, metadata }: { kind: string; metadata: { name: string } }): string =>
      `${kind} ${metadata.name}`;
    expect(await names(ours, "configz", named)).toEqual(await names(istiod, "configz", named));
    const addresses = async (subject: Subject): Promise<unknown> => {
      const shards = (await debugPage(subject, "endpointz")) as Shards;
      return Object.entries(shards).flatMap(([host, byNamespace]) =>
        Object.entries(byNamespace).flatMap(([namespace, { Shards }]) =>
          Object.entries(Shards).flatMap(([shard, endpoints]) =>
            endpoints.map(({ Addresses, EndpointPort, ServicePortName }) =>
              [host, namespace, shard, ...Addresses, EndpointPort, ServicePortName].join(" "),
            ),
          ),
        ),
      );
    };
    expect(await addresses(ours)).toEqual(await addresses(istiod));
  });

  interface Shards {
    readonly [host: string]: {
      readonly [namespace: string]: {
        readonly Shards: {
          readonly [shard: string]: readonly {
            readonly Addresses: readonly string[];
            readonly EndpointPort: number;
            readonly ServicePortName: string;
          }[];
        };
      };
    };
  }

  peerTest(peers, "istiod has settings and kinds that are not read yet", async () => {
    expect(await debugPage(istiod, "mesh")).toMatchObject((await debugPage(ours, "mesh")) as object);
    const kinds = (await debugPage(istiod, "resourcesz")) as object[];
    const own = (await debugPage(ours, "resourcesz")) as { group: string; version: string; kind: string }[];
    for (const kind of own.filter(({ group }) => group !== "config.istio.io")) {
      // The Gateway API has made it v1 since; ours reads both.
      if (kind.kind === "ReferenceGrant") kind.version = "v1beta1";
      expect(kinds).toContainEqual(kind);
    }
  });

  peerTest(peers, "istiod keeps other resources ready than it sends", async () => {
    expect(Object.keys((await debugPage(ours, "cachez")) as object)).toEqual(
      expect.arrayContaining(Object.keys((await debugPage(istiod, "cachez")) as object)),
    );
  });

  peerTest(
    peers,
    "ours captures IPv6 as well, where a proxy has it, and ports of the agent are any free ones",
    async () => {
      const listeners = async (subject: Subject): Promise<string[]> =>
        (await proxyConfig(subject, "listeners"))
          .filter((line) => !/Inline Route: \/(?:healthz|stats)\//.test(line))
          .map((line) => line.replace(/^0\.0\.0\.0(?:,::)? +(1500[16]) /, "$1 "));
      expect(await listeners(ours)).toEqual(await listeners(istiod));
    },
  );

  peerTest(peers, "each has certificates of its own", async () => {
    for (const subject of [istiod, ours]) {
      const lines = await proxyConfig(subject, "secret");
      expect(lines).toContainEqual(expect.stringMatching(/^default +Cert Chain +ACTIVE +true /));
      expect(lines).toContainEqual(expect.stringMatching(/^ROOTCA +CA +ACTIVE +true /));
    }
  });

  peerTest(peers, "istiod says of its last push alone which services have no endpoints", async () => {
    const empty = { pilot_eds_no_instances: { "outbound|443||kubernetes.default.svc.cluster.local": {} } };
    expect(await debugPage(ours, "push_status")).toEqual(empty);
    expect([{}, empty]).toContainEqual(await debugPage(istiod, "push_status"));
  });

  peerTest(peers, "there is no sidecar injector yet", async () => {
    expect((await remotely(ours, "x", "internal-debug", "inject")).stdout).toContain(
      "no sidecars are injected here",
    );
  });
});
