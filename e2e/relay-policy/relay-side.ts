import {
  Balancers,
  type Forward,
  ownAnswer,
  PortRouter,
  type RequestHead,
} from "@keelson/bpf-applier/relay-policy";
import { formatAddress } from "@keelson/model";
import type { Endpoint } from "@keelson/protos/policy";
import type { Case } from "./cases.ts";
import { answerContent, answerHeaders } from "./echo.ts";
import { meaning } from "./headers.ts";
import { relayServiceOf, setsOf } from "./mesh.ts";
import { echoText, type Seen } from "./seen.ts";

/** Envoy's, where a cluster has no endpoint; the relay says so in words of its own. */
const noEndpoint = { status: 503, body: "no healthy upstream" };

/** Whether it says so, to who speaks gRPC in a header. */
export const isWithoutEndpoint = ({ body, headers, echo, status }: Seen): boolean =>
  echo === "" &&
  (body === noEndpoint.body || headers.includes(noEndpoint.body) || (status === 503 && body === ""));

/** The relay's policy for one case. */
export class RelaySide {
  private readonly router: PortRouter;
  private readonly balancers = new Balancers(Math.random);
  private readonly callerAddress: string;
  /** Names of sets with more than one endpoint. */
  private readonly choices: ReadonlySet<string>;

  /** @param port of the echo */
  constructor(one: Case, number: number, port: number, callerAddress = "127.0.0.1") {
    this.callerAddress = callerAddress;
    this.router = new PortRouter(relayServiceOf(one, number));
    const sets = setsOf(number, port);
    this.balancers.update(new Map(sets.map((set) => [set.name, set])));
    this.choices = new Set(sets.filter(({ endpoints }) => endpoints.length > 1).map(({ name }) => name));
  }

  /** What comes of a question to an echo. @param draw what all that is left to chance comes to, 0 up to 1 */
  ask(head: RequestHead, content: string, draw: number): Seen {
    const caller = { workload: undefined, address: this.callerAddress, port: 1 };
    const decision = this.router.route(head, caller, () => draw);
    if (decision.kind === "answer") return answered(head, decision);
    const endpoint = this.endpointOf(decision);
    if (endpoint === undefined) {
      const own = ownAnswer(head, noEndpoint);
      return answered(head, { ...own, rawHeaders: decision.ownAnswerHeaders(own.rawHeaders) });
    }
    const { path: target, ...sent } = decision.request;
    const echo = { ...sent, target, content };
    const [mirror] = decision.mirrors;
    return {
      status: 200,
      headers: meaning(decision.answerHeaders(answerHeaders)),
      body: answerContent(echo),
      echo: echoText(echo),
      address: this.mayBeAny(decision) ? "" : formatAddress(endpoint.address),
      mirrored:
        mirror === undefined ? "" : echoText({ ...mirror.request, target: mirror.request.path, content }),
    };
  }

  /** A cookie that is made is each caller's own. */
  private mayBeAny({ destination, hash, answerHeaders: change }: Forward): boolean {
    if (destination.policy?.loadBalancer?.consistentHash === undefined)
      return this.choices.has(destination.endpointSet);
    return hash === undefined || change([]).includes("set-cookie");
  }

  private endpointOf({ destination, hash }: Forward): Endpoint | undefined {
    return this.balancers.of(destination, "IPv4").pick({ hash, tried: [], random: Math.random }, 0);
  }
}

function answered({ method }: RequestHead, { status, rawHeaders, body }: ReturnType<typeof ownAnswer>): Seen {
  const text = method === "HEAD" ? "" : Buffer.from(body).toString("latin1");
  return { status, headers: meaning(rawHeaders), body: text, echo: "", address: "", mirrored: "" };
}
