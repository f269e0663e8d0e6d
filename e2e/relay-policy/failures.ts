import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Outcome, PortRouter, type RequestHead, shouldRetry } from "@keelson/bpf-applier/relay-policy";
import { endpointSetName, type PolicyIr } from "@keelson/protos";
import { ApplicationProtocol, ServicePortSchema } from "@keelson/protos/policy";
import { HttpRouteSchema } from "@keelson/protos/route";
import { aHostPolicy, anEndpointSet, anIr, aRouteTable, aService } from "@keelson/xds/envoy/testing";
import { startEnvoy } from "../peers/envoy.ts";
import { http } from "../peers/http.ts";
import { freePort } from "../world/free-port.ts";
import { until } from "../world/until.ts";
import { questionHeader } from "./echo.ts";
import { type FailingEcho, type Failure, failureHeader, startFailingEcho } from "./failing-echo.ts";
import { dialled, hostOf, nameOf } from "./mesh.ts";
import { staticBootstrap } from "./static-bootstrap.ts";

type RouteInit = Extract<MessageInitShape<typeof HttpRouteSchema>, { readonly $typeName?: never }>;

const conditions = [
  "",
  "5xx",
  "gateway-error",
  "reset",
  "connect-failure",
  "refused-stream",
  "retriable-4xx",
  "reset-before-request",
  "404,503",
  "unavailable,cancelled",
  "deadline-exceeded,resource-exhausted,internal",
  "envoy-ratelimited",
];

/** A limit that is over soon, and one that is not. */
const soonMs = 100n;
const lateMs = 60_000n;

const retrying = (retryOn: string, perTryTimeoutMs: bigint): RouteInit => ({
  retries: { attempts: 2, retryOn, perTryTimeoutMs, backoffMs: 1n },
});

const rules: readonly RouteInit[] = [
  {},
  { timeoutMs: soonMs },
  { timeoutMs: soonMs, retries: { attempts: 2, retryOn: "5xx", perTryTimeoutMs: soonMs } },
  { retries: { attempts: 0 } },
  ...conditions.flatMap((retryOn) => [retrying(retryOn, soonMs), retrying(retryOn, lateMs)]),
];

const answered = (status: number, ...rawHeaders: string[]): Failure => ({
  kind: "answer",
  status,
  rawHeaders,
});
const failures: readonly Failure[] = [
  ...[200, 404, 409, 429, 500, 502, 503, 504].map((status) => answered(status)),
  ...[1, 2, 4, 8, 13, 14].map((status) =>
    answered(200, "content-type", "application/grpc", "grpc-status", `${status}`),
  ),
  answered(503, "x-envoy-ratelimited", "true"),
  { kind: "reset" },
  { kind: "silence" },
];

const isShort = ({ timeoutMs, retries }: RouteInit): boolean =>
  timeoutMs === soonMs || retries?.perTryTimeoutMs === soonMs;

/** Answers are not looked at where a limit may be over before them. */
const isLookedAt = (rule: RouteInit, { kind }: Failure): boolean => kind === "silence" || !isShort(rule);

/** Where no rule ends the silence soon, the caller does, as gRPC's do. */
const limitOf = (rule: RouteInit, { kind }: Failure): string[] =>
  kind === "silence" && !isShort(rule) ? ["grpc-timeout", `${soonMs}m`] : [];

/** How a request ends, and after how many attempts. */
interface End {
  /** Undefined: it is waited for as long as the caller wants to. */
  readonly status: number | undefined;
  readonly attempts: number;
}

export interface FailureComparison {
  readonly asked: number;
  readonly retried: number;
  /** Failures after which relay and Envoy do different things, in words. */
  readonly different: readonly string[];
}

/** Has requests fail in all ways under all rules, before a real Envoy and by the relay's policy. */
export async function compareFailures(): Promise<FailureComparison> {
  await using echo = await startFailingEcho();
  const port = await freePort();
  const envoy = await startEnvoy({ bootstrap: staticBootstrap(meshOf(echo.port), dialled, { port }) });
  try {
    const compared = await Promise.all(
      rules.map((rule, number) => compareRule(rule, number, { port, echo })),
    ).then((ofRules) => ofRules.flat());
    return {
      asked: compared.length,
      retried: compared.filter(({ attempts }) => attempts > 1).length,
      different: compared.flatMap(({ different }) => different),
    };
  } finally {
    await envoy.stop();
  }
}

interface Place {
  readonly port: number;
  readonly echo: FailingEcho;
}

interface Compared {
  readonly attempts: number;
  readonly different: readonly string[];
}

async function compareRule(rule: RouteInit, number: number, place: Place): Promise<readonly Compared[]> {
  const compared: Compared[] = [];
  for (const [index, failure] of failures.entries()) {
    if (isLookedAt(rule, failure))
      compared.push(await compare(rule, number, failure, `${number}-${index}`, place));
  }
  return compared;
}

async function compare(
  rule: RouteInit,
  number: number,
  failure: Failure,
  id: string,
  { port, echo }: Place,
): Promise<Compared> {
  const head: RequestHead = {
    method: "GET",
    path: "/",
    authority: nameOf(number),
    scheme: "http",
    rawHeaders: [
      "Host",
      nameOf(number),
      questionHeader,
      id,
      failureHeader,
      JSON.stringify(failure),
      ...limitOf(rule, failure),
    ],
  };
  const relay = endOfRelay(rule, head, failure);
  const { status } = await http({ host: "127.0.0.1", port, path: "/", headers: headersOf(head) });
  // An attempt that was given up may still be on its way.
  await until(() => echo.attempts(id) >= relay.attempts, { what: "all attempts", timeoutMs: 5_000 }).catch(
    () => undefined,
  );
  const envoy: End = { status, attempts: echo.attempts(id) };
  const same = relay.status === envoy.status && relay.attempts === envoy.attempts;
  const words = JSON.stringify({ rule, failure, relay, envoy }, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
  return { attempts: envoy.attempts, different: same ? [] : [words] };
}

const headersOf = ({ rawHeaders }: RequestHead): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < rawHeaders.length; at += 2)
    headers[rawHeaders[at] ?? ""] = rawHeaders[at + 1] ?? "";
  return headers;
};

/** What the relay's policy says of a request that fails in the same way each time. */
function endOfRelay(rule: RouteInit, head: RequestHead, failure: Failure): End {
  const port = create(ServicePortSchema, {
    port: dialled,
    routes: [{ route: rule, destinations: [{ endpointSet: "any" }] }],
  });
  const decision = new PortRouter({ port }).route(
    head,
    { workload: undefined, address: "127.0.0.1", port: 1 },
    Math.random,
  );
  if (decision.kind === "answer") return { status: decision.status, attempts: 0 };
  const { retries, limit } = decision;
  const isLate = failure.kind === "silence" && retries?.perTryTimeoutMs !== Number(soonMs);
  if (isLate) return { status: limit?.status, attempts: 1 };
  const outcome = outcomeOf(failure);
  let attempts = 1;
  while (shouldRetry(retries, attempts - 1, outcome)) attempts++;
  return {
    status: outcome.kind === "answer" ? outcome.status : outcome.kind === "timeout" ? 504 : 503,
    attempts,
  };
}

function outcomeOf(failure: Failure): Outcome {
  if (failure.kind === "answer") return failure;
  return failure.kind === "reset" ? { kind: "reset", requestSent: true } : { kind: "timeout" };
}

const setOf = (number: number) =>
  endpointSetName({ hostname: hostOf(number), port: dialled, labels: { version: "v1" } });

function meshOf(port: number): PolicyIr {
  return anIr({
    services: rules.map((_, number) =>
      aService(nameOf(number), {
        addresses: [`10.96.0.${number}`],
        ports: [{ port: dialled, name: "http", applicationProtocol: ApplicationProtocol.HTTP }],
      }),
    ),
    endpointSets: rules.map((_, number) => anEndpointSet(setOf(number), [{ address: "127.0.0.1", port }])),
    routeTables: rules.map((rule, number) =>
      aRouteTable(`VirtualService/default/${nameOf(number)}`, {
        hosts: [hostOf(number)],
        http: [{ ...rule, destinations: [{ hostname: hostOf(number), subset: "v1" }] }],
      }),
    ),
    hostPolicies: rules.map((_, number) =>
      aHostPolicy(`DestinationRule/default/${nameOf(number)}`, {
        hostname: hostOf(number),
        subsets: [{ name: "v1", labels: { version: "v1" } }],
      }),
    ),
  });
}
