import { Agent, request } from "node:http";
import { Balancers, type Decision, PortRouter, type RequestHead } from "@keelson/bpf-applier/relay-policy";
import { formatAddress } from "@keelson/model";
import { startEnvoy } from "../peers/envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { Case, Question } from "./cases.ts";
import { answerHeaders, type Echo, type EchoServer, questionHeader, startEcho } from "./echo.ts";
import { meaning } from "./headers.ts";
import { dialled, meshOf, nameOf, relayServiceOf, setsOf } from "./mesh.ts";
import { staticBootstrap } from "./static-bootstrap.ts";

export interface Comparison {
  readonly asked: number;
  /** Questions that reached an endpoint. */
  readonly forwarded: number;
  /** Questions of which relay and Envoy make different things, in words. */
  readonly different: readonly string[];
}

/** What a question comes to, as texts that can be compared. */
interface Seen {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
  /** What an endpoint got. */
  readonly echo: string;
  /** Which endpoint it was. */
  readonly address: string;
}

/** Draws that lead to every choice there may be. */
const draws = [0, 0.1, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 0.99];

/** Asks a real Envoy, and the relay's policy, the same questions under the same rules. */
export async function compareWithEnvoy(cases: readonly Case[]): Promise<Comparison> {
  await using echo = await startEcho();
  const port = await freePort();
  const envoy = await startEnvoy({ bootstrap: staticBootstrap(meshOf(cases, echo.port), dialled, port) });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  try {
    const results = await Promise.all(
      cases.map((one, number) => compareCase(one, number, { agent, port, echo })),
    );
    return {
      asked: cases.reduce((sum, { questions }) => sum + questions.length, 0),
      forwarded: results.reduce((sum, { forwarded }) => sum + forwarded, 0),
      different: results.flatMap(({ different }) => different),
    };
  } finally {
    agent.destroy();
    await envoy.stop();
  }
}

interface Place {
  readonly agent: Agent;
  readonly port: number;
  readonly echo: EchoServer;
}

async function compareCase(one: Case, number: number, place: Place): Promise<Omit<Comparison, "asked">> {
  const router = new PortRouter(relayServiceOf(one, number));
  const balancers = new Balancers(Math.random);
  balancers.update(new Map(setsOf(number, place.echo.port).map((set) => [set.name, set])));
  const different: string[] = [];
  let forwarded = 0;
  for (const [index, question] of one.questions.entries()) {
    const head = headOf(question, number, `${number}-${index}`);
    const envoy = await seenOfEnvoy(head, `${number}-${index}`, place);
    if (envoy.echo !== "") forwarded++;
    const relay = draws.map((draw) => seenOfRelay(router, balancers, head, draw));
    if (relay.some((seen) => isSame(seen, envoy))) continue;
    different.push(describe(one, question, nearest(relay, envoy), envoy));
  }
  return { forwarded, different };
}

const differing = (relay: Seen | undefined, envoy: Seen): (keyof Seen)[] =>
  (Object.keys(envoy) as (keyof Seen)[]).filter((key) => relay?.[key] !== envoy[key]);

/** Of all that may come of a question, what differs least. */
const nearest = (relay: readonly Seen[], envoy: Seen): Seen | undefined =>
  relay.toSorted((a, b) => differing(a, envoy).length - differing(b, envoy).length)[0];

/** What differs, for what question, under which routes. */
function describe(
  { routes }: Case,
  { method, target, authorityEnd, headers }: Question,
  relay: Seen | undefined,
  envoy: Seen,
): string {
  const differs = (Object.keys(envoy) as (keyof Seen)[])
    .filter((key) => relay?.[key] !== envoy[key])
    .map(
      (key) =>
        `  ${key}: relay ${JSON.stringify(relay?.[key])}\n  ${key}: Envoy ${JSON.stringify(envoy[key])}`,
    );
  const asked = [method, target, `…${authorityEnd}`, ...headers].join(" ");
  return [asked, ...differs, ...routes.map((route) => `  ${JSON.stringify(route)}`)].join("\n");
}

function headOf(
  { method, target, authorityEnd, headers }: Question,
  number: number,
  id: string,
): RequestHead {
  const authority = nameOf(number) + authorityEnd;
  const rawHeaders = ["Host", authority, questionHeader, id, ...headers];
  return { method, path: target, authority, scheme: "http", rawHeaders };
}

/** An address that is not said may be any, and so may be the words of who cannot read a request. */
const isSame = (relay: Seen, envoy: Seen): boolean =>
  (relay.status === 400 && envoy.status === 400) ||
  (relay.status === envoy.status &&
    relay.headers === envoy.headers &&
    relay.body === envoy.body &&
    relay.echo === envoy.echo &&
    (relay.address === "" || relay.address === envoy.address));

const echoText = ({ method, target, rawHeaders }: Omit<Echo, "address">): string =>
  `${method} ${target}\n${meaning(rawHeaders)}`;

function seenOfEnvoy({ method, path, rawHeaders }: RequestHead, id: string, place: Place): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const { agent, port, echo } = place;
    const call = request(
      { agent, host: "127.0.0.1", port, method, path, headers: [...rawHeaders] },
      (response) => {
        let body = "";
        response.setEncoding("latin1").on("data", (piece: string) => (body += piece));
        response.once("error", reject).once("end", () => {
          const [first] = echo.echoes(id);
          resolve({
            status: response.statusCode ?? 0,
            headers: meaning(response.rawHeaders),
            body,
            echo: first === undefined ? "" : echoText(first),
            address: first?.address ?? "",
          });
        });
      },
    );
    call.once("error", reject).end();
  });
}

const caller = { workload: undefined, address: "127.0.0.1", port: 1 };

function seenOfRelay(router: PortRouter, balancers: Balancers, head: RequestHead, draw: number): Seen {
  const decision = router.route(head, caller, () => draw);
  if (decision.kind === "answer") {
    const body = head.method === "HEAD" ? "" : Buffer.from(decision.body).toString("latin1");
    const { status, rawHeaders } = decision;
    return { status, headers: meaning(rawHeaders), body, echo: "", address: "" };
  }
  const { path: target, ...sent } = decision.request;
  return {
    status: 200,
    headers: meaning(decision.answerHeaders(answerHeaders)),
    body: "",
    echo: echoText({ ...sent, target }),
    address: addressOf(decision, balancers),
  };
}

/** Empty where more than one may be right. */
function addressOf(decision: Decision & { kind: "forward" }, balancers: Balancers): string {
  const { destination, hash } = decision;
  const isMade = decision.answerHeaders([]).includes("set-cookie");
  const isHashed = destination.policy?.loadBalancer?.consistentHash !== undefined;
  if (isMade || (isHashed && hash === undefined)) return "";
  const choice = { hash, tried: [], random: Math.random };
  const endpoint = balancers.of(destination, "IPv4").pick(choice, 0);
  return endpoint === undefined ? "" : formatAddress(endpoint.address);
}
