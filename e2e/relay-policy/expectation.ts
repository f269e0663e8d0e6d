import type { RequestHead } from "@keelson/bpf-applier/relay-policy";
import type { Case, Question } from "./cases.ts";
import { questionHeader } from "./echo.ts";
import type { Asked, HttpSide } from "./http-side.ts";
import { nameOf } from "./mesh.ts";
import { isWithoutEndpoint, type RelaySide } from "./relay-side.ts";
import { differences, isSame, type Seen } from "./seen.ts";

/** One of a case's questions. */
export interface Place {
  readonly one: Case;
  /** Of the case. */
  readonly number: number;
  readonly question: Question;
  /** No other question has it. */
  readonly id: string;
}

/** What comes of a question. */
export interface Expectation {
  readonly envoy: Seen;
  /** What the relay's policy makes of it by each of `draws`. */
  readonly ways: readonly Seen[];
  /** Which of them is Envoy's; -1: none. */
  readonly way: number;
}

/** Draws that lead to every choice there may be. */
export const draws = [0, 0.1, 0.24, 0.26, 0.49, 0.51, 0.74, 0.76, 0.99];

export const placesOf = (one: Case, number: number): Place[] =>
  one.questions.map((question, index) => ({ one, number, question, id: `${number}-${index}` }));

/** Asks an Envoy, and the policy by itself, which finds what Envoy's choices were. */
export async function expectationOf(
  place: Place,
  { envoy: side, policy }: { readonly envoy: HttpSide; readonly policy: RelaySide },
): Promise<Expectation> {
  const { head, content } = askedOf(place, false);
  const ways = draws.map((draw) => policy.ask(head, content, draw));
  const envoy = await side.ask(askedOf(place, ways.some(isMirrored)));
  return { envoy, ways, way: ways.findIndex((seen) => isSame(seen, envoy)) };
}

export const isMirrored = ({ mirrored }: Seen): boolean => mirrored !== "";

/** @param again what tells this time of a question from others */
export function askedOf({ number, question, id: first }: Place, awaitsMirror: boolean, again = ""): Asked {
  const id = `${first}${again}`;
  return { head: headOf(question, number, id), content: question.content ?? "", id, awaitsMirror };
}

function headOf(
  { method, target, authorityEnd, headers, content }: Question,
  number: number,
  id: string,
): RequestHead {
  const authority = nameOf(number) + authorityEnd;
  const length = content === undefined ? [] : ["Content-Length", `${content.length}`];
  const rawHeaders = ["Host", authority, questionHeader, id, ...headers, ...length];
  return { method, path: target, authority, scheme: "http", rawHeaders };
}

/** Words of its own, and an endpoint that may be any. */
export const mayDiffer = (expected: Seen, own: Seen, envoy: Seen): boolean =>
  (isWithoutEndpoint(envoy) && isWithoutEcho(own)) ||
  (expected.address === "" && isSame({ ...own, address: "" }, envoy));

const isWithoutEcho = ({ echo, status }: Seen): boolean => echo === "" && [200, 503].includes(status);

/** Of all that may come of a question, what differs least. */
export const nearest = (ways: readonly Seen[], seen: Seen): Seen =>
  ways.reduce((best, one) => (differences(one, seen).length < differences(best, seen).length ? one : best));

/** What differs of an answer. */
export function describe(place: Place, own: Seen, envoy: Seen): string {
  const differs = differences(own, envoy).flatMap((key) => [
    `${key}: relay ${JSON.stringify(own[key])}`,
    `${key}: Envoy ${JSON.stringify(envoy[key])}`,
  ]);
  return wrongly(place, ...differs);
}

/** What is wrong, for what question, under which routes. */
export function wrongly({ one, question }: Place, ...what: readonly string[]): string {
  const { method, target, authorityEnd, headers } = question;
  const asked = [method, target, `…${authorityEnd}`, ...headers].join(" ");
  const lines = [...what, ...one.routes.map((route) => JSON.stringify(route))];
  return [asked, ...lines.map((line) => `  ${line}`)].join("\n");
}
