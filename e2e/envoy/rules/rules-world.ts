import { once } from "node:events";
import { createServer } from "node:net";
import type { AdsVariant } from "../../peers/plain-envoy.ts";
import { freePort } from "../../world/free-port.ts";
import type { KubernetesObject } from "../../world/objects.ts";
import { until } from "../../world/until.ts";
import { EnvoyWorld, httpService, istioObject, podsBehind, slicesOf } from "../envoy-world.ts";
import { type ActionRoute, actionRoutes, reviews } from "./action-routes.ts";
import { type Answer, ask, type Question } from "./ask.ts";
import { type EchoBackend, startEchoBackend, wishes } from "./echo-backend.ts";
import { matchCases } from "./match-cases.ts";
import { policies } from "./policies.ts";

/** The header that says which route an answer came by. */
const routeHeader = "x-route";

/** A service with three versions, others beside it, and rules for all of them, before a real Envoy. */
export class RulesWorld implements AsyncDisposable {
  readonly world: EnvoyWorld;
  readonly backends: Readonly<Record<"v1" | "v2" | "v3" | "outside", EchoBackend>>;
  readonly ports: Ports;
  private readonly stack: AsyncDisposableStack;

  private constructor(
    world: EnvoyWorld,
    backends: RulesWorld["backends"],
    ports: Ports,
    stack: AsyncDisposableStack,
  ) {
    this.world = world;
    this.backends = backends;
    this.ports = ports;
    this.stack = stack;
  }

  static async start(variant: AdsVariant): Promise<RulesWorld> {
    await using stack = new AsyncDisposableStack();
    const v1 = stack.use(await startEchoBackend("v1", "127.0.0.2"));
    const v2 = stack.use(await startEchoBackend("v2", "127.0.0.3"));
    const v3 = stack.use(await startEchoBackend("v3", "127.0.0.4"));
    const outside = stack.use(await startEchoBackend("outside", "127.0.0.1"));
    const lines = [await startLineServer("a", "127.0.0.2"), await startLineServer("b", "127.0.0.3")];
    for (const server of lines) stack.use(server);
    const ports: Ports = { http: await freePort(), tcp: await freePort(), outside: await freePort() };
    const objects = [
      httpService("reviews", ports.http),
      ...podsBehind("reviews", [v1, v2, v3]),
      ...reviewsRules(),
      ...policyObjects(ports.http, [v1, v2, v3]),
      ...bytesObjects(ports.tcp, lines),
      ...outsideObjects(ports.outside, outside),
    ];
    const world = stack.use(await EnvoyWorld.start(variant, objects));
    const rules = new RulesWorld(world, { v1, v2, v3, outside }, ports, stack.move());
    // It is live before it has a listener whose routes are there.
    await until(async () => (await rules.ask({})).status === 200, { what: "an answer of reviews" });
    return rules;
  }

  /** Asks reviews as one of the cases. */
  ask(question: Omit<Question, "port">, title = ""): Promise<Answer> {
    return ask(this.question(question, title));
  }

  question({ headers, ...question }: Omit<Question, "port">, title = ""): Question {
    return {
      port: this.ports.http,
      ...question,
      headers: { host: "reviews", ...headers, ...(title === "" ? {} : { [wishes.case]: title }) },
    };
  }

  /** Which route an answer came by: the title of its case; "default" if none of them had it. */
  routeOf({ headers }: Answer): string {
    return String(headers[routeHeader]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }
}

interface Ports {
  readonly http: number;
  readonly tcp: number;
  readonly outside: number;
}

/** Takes only requests of this case. */
const ofCase = (title: string) => ({ [wishes.case]: { exact: title } });

/** A route whose answers say by a header that they came by it. */
function marked(title: string, { headers, ...route }: Readonly<Record<string, unknown>>) {
  const { request, response } = (headers ?? {}) as Record<string, { readonly set?: object } | undefined>;
  const set = { ...response?.set, [routeHeader]: title };
  return { ...route, headers: { ...(request && { request }), response: { ...response, set } } };
}

function reviewsRules(): KubernetesObject[] {
  const versions = ["v1", "v2", "v3"];
  return [
    istioObject("DestinationRule", "reviews", {
      host: "reviews",
      subsets: versions.map((version) => ({ name: version, labels: { version } })),
    }),
    istioObject("VirtualService", "reviews", {
      hosts: ["reviews"],
      http: [
        ...matchCases.map(({ title, match }) =>
          marked(title, {
            match: [{ ...match, headers: { ...(match["headers"] as object), ...ofCase(title) } }],
            route: [reviews("v1")],
          }),
        ),
        ...Object.entries<ActionRoute>(actionRoutes).map(([title, { match = {}, ...route }]) =>
          marked(title, { match: [{ ...match, headers: ofCase(title) }], ...route }),
        ),
        marked("default", { route: [reviews("v1")] }),
      ],
    }),
  ];
}

/** Services with the same pods, one for each policy, and without rules for their requests. */
const policyObjects = (port: number, backends: readonly EchoBackend[]): KubernetesObject[] =>
  Object.entries(policies).flatMap(([name, trafficPolicy]) => [
    httpService(name, port),
    ...slicesOf(name, backends),
    istioObject("DestinationRule", name, { host: name, trafficPolicy }),
  ]);

/** A service of bytes with two versions, of which one gets three of four connections. */
function bytesObjects(port: number, servers: readonly LineServer[]): KubernetesObject[] {
  const to = (subset: string, weight: number) => ({ destination: { host: "bytes", subset }, weight });
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "bytes", namespace: "default" },
      spec: { clusterIP: "10.0.0.2", ports: [{ name: "tcp", port }] },
    },
    ...podsBehind("bytes", servers, { portName: "tcp" }),
    istioObject("DestinationRule", "bytes", {
      host: "bytes",
      subsets: ["a", "b"].map((name) => ({ name, labels: { version: name } })),
    }),
    istioObject("VirtualService", "bytes", {
      hosts: ["bytes"],
      tcp: [{ route: [to("a", 75), to("b", 25)] }],
    }),
  ];
}

/** Hosts outside, by address and by name. */
function outsideObjects(port: number, { address, port: targetPort }: EchoBackend): KubernetesObject[] {
  const entry = (name: string, resolution: string, endpoint: string): KubernetesObject =>
    istioObject("ServiceEntry", name, {
      hosts: [`${name}.example.com`],
      ports: [{ name: "http", number: port, protocol: "HTTP", targetPort }],
      resolution,
      endpoints: [{ address: endpoint }],
    });
  return [entry("by-address", "STATIC", address), entry("by-name", "DNS", "localhost")];
}

interface LineServer extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Says its name on every connection, and ends it. */
async function startLineServer(name: string, address: string): Promise<LineServer> {
  const server = createServer((socket) => socket.on("error", () => undefined).end(name));
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error(`${name} has no port`);
  return { name, address, port: bound.port, [Symbol.asyncDispose]: async () => void server.close() };
}
