// CustomResourceDefinitions made from our schemas, in a real API server and beside Istio's own.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { manifests } from "@keelson/model/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PeerName } from "../peers/install/recipes.ts";
import { type Crd, faceOf, fieldsOf, istioCrds, parseCrds } from "../peers/istio-crds.ts";
import { crdFolder, createNamespace } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { missingPeers, requirePeer } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type RunResult, runProgram } from "../peers/run-program.ts";

const peers: readonly PeerName[] = ["etcd", "kube-apiserver", "kubectl"];

/** Istio's published samples; they stand beside a checkout, not in it. */
const fixtures = resolve(import.meta.dirname, "../../../shared/fixtures");

let apiserver: KubeApiserver;
let ours: ReadonlyMap<string, Crd>;

beforeAll(async () => {
  const names = await readdir(crdFolder);
  const texts = await Promise.all(names.map((name) => readFile(join(crdFolder, name), "utf8")));
  ours = parseCrds(texts.join("\n---\n"));
  if (await missingPeers(...peers)) return;
  apiserver = await startKubeApiserver();
  await createNamespace(apiserver, "istio-system");
  await apiserver.kubectl(["apply", "--server-side", "-f", crdFolder]);
  await apiserver.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crds", "--all"]);
}, 300_000);

afterAll(() => apiserver?.stop());

/** Asks the server to take what kubectl reads, and to keep nothing of it. */
async function dryRun(args: readonly string[], input = ""): Promise<RunResult> {
  const { program } = await requirePeer("kubectl");
  const command = ["--kubeconfig", apiserver.kubeconfig, "apply", "--dry-run=server", ...args];
  return runProgram(program, command, { input });
}

const tryObject = (object: object): Promise<RunResult> => dryRun(["-f", "-"], JSON.stringify(object));

peerTest(peers, "the API server finds nothing to object to in any of them", async () => {
  const { items } = JSON.parse(await apiserver.kubectl(["get", "crds", "-o", "json"])) as {
    items: { metadata: { name: string }; status: { conditions: { type: string; status: string }[] } }[];
  };
  expect(items.map(({ metadata }) => metadata.name).sort()).toEqual([...ours.keys()].sort());
  for (const { metadata, status } of items) {
    const holding = status.conditions.filter((condition) => condition.status === "True");
    expect({ [metadata.name]: holding.map(({ type }) => type).sort() }).toEqual({
      [metadata.name]: ["Established", "NamesAccepted"],
    });
  }
});

describe("beside Istio's own", () => {
  const shared = async (): Promise<[Crd, Crd][]> => {
    const theirs = await istioCrds();
    return [...ours].flatMap(([name, crd]) => {
      const other = theirs.get(name);
      return other === undefined ? [] : [[crd, other] satisfies [Crd, Crd]];
    });
  };

  peerTest(["istiod"], "names, versions and columns are the same", async () => {
    const pairs = await shared();
    expect(pairs.length).toBe(8);
    for (const [own, other] of pairs) expect(faceOf(own)).toEqual(faceOf(other));
  });

  peerTest(["istiod"], "fields are the same, but for those that are listed", async () => {
    const different = (await shared()).flatMap(([own, other]) => {
      const found = fieldsOf(specOf(own));
      return [...fieldsOf(specOf(other))]
        .filter(([path, wanted]) => found.get(path) !== wanted)
        .map(([path]) => `${own.spec.names["kind"] as string}${path}`)
        .map((path) =>
          path.replace(/(subsets\[\]\.)?trafficPolicy(\.portLevelSettings\[\])?/, "trafficPolicy"),
        );
    });
    expect([...new Set(different)].filter((path) => !isListed(path))).toEqual([]);
  });

  const specOf = ({ spec }: Crd) => {
    const [version] = spec.versions;
    return version?.schema.openAPIV3Schema.properties?.["spec"] ?? {};
  };

  /** Fields of Istio's schemas that ours have otherwise. */
  const listed: readonly RegExp[] = [
    // Nothing here looks into them, so they are kept as they are written.
    /\.loadBalancer\.zoneAwareLbSetting\./,
    /\.trafficPolicy\.retryBudget\./,
    /^WasmPlugin\.targetRef/,
    // Choices that istiod checks later, and its schema does not.
    /\.tunnel\.protocol$/,
    /\.redirect\.(redirectCode|scheme)$/,
    /\.abort\.grpcStatus$/,
    // istiod refuses them.
    /\.delay\.exponentialDelay$/,
    /\.abort\.http2Error$/,
    // The old spelling of mirrorPercent.
    /\.mirror_percent$/,
  ];
  const isListed = (path: string): boolean => listed.some((one) => one.test(path));
});

const groups = new Set([
  "networking.istio.io",
  "security.istio.io",
  "extensions.istio.io",
  "config.istio.io",
]);

peerTest(peers, "what the model takes, the API server takes, too", async () => {
  const generated = fc
    .sample(manifests, { seed: 1, numRuns: 80 })
    .flat()
    .filter(({ apiVersion }) => groups.has(apiVersion.split("/")[0] ?? ""))
    .slice(0, 150)
    .map((object, i) => ({ ...object, metadata: { name: `generated-${i}`, namespace: "default" } }));
  expect(generated.length).toBe(150);
  const { stdout, stderr } = await tryObject({ apiVersion: "v1", kind: "List", items: generated });
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n")).toHaveLength(150);
});

test("Istio's samples of both ages are taken", async (context) => {
  context.skip(!existsSync(fixtures), "Istio's published samples do not stand beside this checkout");
  const reason = await missingPeers(...peers);
  context.skip(reason !== undefined, reason);
  const folders = ["istio-0.2.12", "istio-latest/networking"].map((name) => join(fixtures, name));
  const files = (await Promise.all(folders.map(rulesIn))).flat();
  expect(files.length).toBeGreaterThan(20);
  const { code, stderr } = await dryRun(files.map((file) => `--filename=${file}`));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

/** Files of a folder that hold rules, and nothing else. */
async function rulesIn(folder: string): Promise<string[]> {
  const others = /^(bookinfo|istio)\.yaml$/;
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml") && !others.test(name));
  return names.map((name) => join(folder, name));
}

const networking = (kind: string, spec: object) => ({
  apiVersion: "networking.istio.io/v1",
  kind,
  metadata: { name: "tried", namespace: "default" },
  spec,
});

const routeRule = (spec: object) => ({
  apiVersion: "config.istio.io/v1alpha2",
  kind: "RouteRule",
  metadata: { name: "tried", namespace: "default" },
  spec: { destination: { name: "reviews" }, ...spec },
});

const virtualService = (route: object) => networking("VirtualService", { hosts: ["reviews"], http: [route] });

describe("what is wrong is refused", () => {
  const cases: readonly [string, object, string][] = [
    [
      "a typing error",
      virtualService({ route: [{ destination: { host: "reviews" }, wieght: 1 }] }),
      'unknown field "spec.http[0].route[0].wieght"',
    ],
    [
      "a number as text",
      virtualService({ route: [{ destination: { host: "reviews" }, weight: "1" }] }),
      "spec.http[0].route[0].weight",
    ],
    [
      "two ways to match one text",
      virtualService({
        match: [{ uri: { exact: "/a", prefix: "/b" } }],
        route: [{ destination: { host: "reviews" } }],
      }),
      "spec.http[0].match[0].uri",
    ],
    ["what is missing", networking("DestinationRule", { subsets: [] }), "spec.host: Required value"],
    [
      "a choice that there is not",
      networking("ServiceEntry", { hosts: ["a.test"], location: "NOWHERE" }),
      'supported values: "MESH_EXTERNAL", "MESH_INTERNAL"',
    ],
    ["in a rule of 0.2, a typing error", routeRule({ precedenc: 1 }), 'unknown field "spec.precedenc"'],
    [
      "in snake_case, what is missing",
      routeRule({ http_req_retries: { simple_retry: { per_try_timeout: "1s" } } }),
      "spec.http_req_retries.simple_retry.attempts: Required value",
    ],
  ];

  for (const [what, object, why] of cases) {
    peerTest(peers, what, async () => {
      const { code, stderr } = await tryObject(object);
      expect(stderr).toContain(why);
      expect(code).toBe(1);
    });
  }

  peerTest(
    peers,
    "unless kubectl is told not to mind: then the field is dropped with a warning",
    async () => {
      const object = virtualService({ route: [{ destination: { host: "reviews" }, wieght: 1 }] });
      const { code, stdout, stderr } = await dryRun(
        ["--validate=warn", "-o", "json", "-f", "-"],
        JSON.stringify(object),
      );
      expect({ code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringContaining("Warning: unknown field"),
      });
      expect(stdout).not.toContain('wieght": 1');
    },
  );
});

peerTest(peers, "rules of 0.2 are taken in snake_case", async () => {
  const rule = routeRule({
    http_req_timeout: { simple_timeout: { timeout: "3s" } },
    http_req_retries: { simple_retry: { attempts: 2, per_try_timeout: "1s" } },
  });
  const { code, stderr } = await tryObject(rule);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
