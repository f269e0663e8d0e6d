// Istio's published samples as meshes. They stand beside a checkout, not in it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Compiler } from "@keelson/compiler";
import { type KnownObject, ModelBuilder } from "@keelson/model";
import { readConfigFile } from "@keelson/sources";
import { yamlDocuments } from "../../world/config-folder.ts";
import type { KubernetesObject } from "../../world/objects.ts";
import type { Mesh } from "./meshes.ts";

const folder = fileURLToPath(new URL("../../../../shared/fixtures", import.meta.url));

export const fixturesAreThere = (): boolean => existsSync(folder);

/** Versions that the samples speak of. */
const versions = ["v1", "v2", "v3", "v2-mysql", "v2-mysql-vm"];

/** Each rule of Pilot 0.2.12's goldens, which hold the specs alone. */
const pilotRules: Readonly<Record<string, string>> = {
  "timeout-route-rule": "RouteRule",
  "weighted-route": "RouteRule",
  "fault-route": "RouteRule",
  "redirect-route": "RouteRule",
  "rewrite-route": "RouteRule",
  "websocket-route": "RouteRule",
  "egress-rule": "EgressRule",
  "egress-rule-cb-policy": "DestinationPolicy",
  "egress-rule-timeout-route-rule": "RouteRule",
  "cb-policy": "DestinationPolicy",
};

/** Every sample that is configuration of a mesh, with the application it is for, and all of today's at once. */
export function fixtureMeshes(): Mesh[] {
  const today = inFolder("istio-latest/networking");
  const subsets = "istio-latest/networking/destination-rule-all.yaml";
  const old = inFolder("istio-0.2.12");
  const mesh = (title: string, ...paths: string[]): Mesh => meshOf(title, paths.flatMap(read));
  return [
    ...today.map((path) => mesh(path, "istio-latest/bookinfo.yaml", subsets, path)),
    mesh("all of istio-latest", "istio-latest/bookinfo.yaml", ...today),
    ...old.map((path) => mesh(path, "istio-0.2.12/bookinfo.yaml", path)),
    ...pilotMeshes(),
  ];
}

function pilotMeshes(): Mesh[] {
  const rules = Object.entries(pilotRules).map(([name, kind]) => ({
    name,
    objects: readPilotRule(name, kind),
  }));
  const world = parse([pilotService("hello", "10.1.0.0"), pilotService("world", "10.2.0.0")], "world.yaml");
  return [...rules, { name: "all rules", objects: rules.flatMap(({ objects }) => objects) }].map(
    ({ name, objects }) => meshOf(`pilot-0.2.12 ${name}`, [...world, ...objects]),
  );
}

const inFolder = (name: string): string[] =>
  readdirSync(join(folder, name))
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .map((file) => `${name}/${file}`);

const read = (path: string): readonly KnownObject[] =>
  readConfigFile(readFileSync(join(folder, path), "utf8"), path).objects;

const parse = (objects: readonly KubernetesObject[], file: string): readonly KnownObject[] =>
  readConfigFile(yamlDocuments(objects), file).objects;

function readPilotRule(name: string, kind: string): readonly KnownObject[] {
  const file = join(folder, "pilot-0.2.12/envoy", `${name}.yaml.golden`);
  const spec = readFileSync(file, "utf8").replace(/^/gm, "  ");
  const head = `apiVersion: config.istio.io/v1alpha2\nkind: ${kind}\nmetadata: {name: ${name}, namespace: default}\n`;
  return readConfigFile(`${head}spec:\n${spec}`, file).objects;
}

const pilotService = (name: string, clusterIP: string): KubernetesObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec: {
    clusterIP,
    ports: [
      { name: "http", port: 80 },
      { name: "http-status", port: 81 },
      { name: "custom", port: 90 },
      { name: "mongo", port: 100 },
      { name: "redis", port: 110 },
    ],
  },
});

/** With pods of all versions behind every service: the samples leave them to a cluster. */
function meshOf(title: string, objects: readonly KnownObject[]): Mesh {
  const services = objects.filter((object) => object.kind === "Service");
  const pods = services.flatMap((service, i) => podsOf(service, i));
  const { model } = new ModelBuilder().build([...objects, ...parse(pods, "pods.yaml")]);
  return { title, ir: new Compiler().compile(model).ir };
}

type Service = Extract<KnownObject, { kind: "Service" }>;

function podsOf(
  { metadata: { name: service, namespace }, body: { spec } }: Service,
  i: number,
): KubernetesObject[] {
  const pods = versions.map((version, n) => ({
    version,
    name: `${service}-${version}`,
    ip: `10.244.${i}.${n + 1}`,
  }));
  return [
    ...pods.map(({ version, name, ip }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace, labels: { ...spec.selector, version } },
      spec: { nodeName: "node-1", serviceAccountName: "default" },
      status: { phase: "Running", podIP: ip, podIPs: [{ ip }] },
    })),
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: service, namespace, labels: { "kubernetes.io/service-name": service } },
      addressType: "IPv4",
      endpoints: pods.map(({ name, ip }) => ({
        addresses: [ip],
        conditions: { ready: true },
        nodeName: "node-1",
        targetRef: { kind: "Pod", name, namespace },
      })),
      ports: spec.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    },
  ];
}
