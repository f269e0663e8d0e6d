import type { Socket } from "node:net";

/** Node's HTTP parser, which it keeps to itself. */
interface ParserOwner {
  readonly parser?: { readonly finish?: () => unknown } | null;
}

/**
 * Whether Node's parser is in the midst of a request of that connection. It is asked what it would say if the connection ended
 * here, as Node asks it at the end of every connection; nothing in it changes by that.
 *
 * @returns undefined: it does not say
 */
export function isWithinRequest(socket: Socket): boolean | undefined {
  const { parser } = socket as Socket & ParserOwner;
  if (typeof parser?.finish !== "function") return undefined;
  return parser.finish() instanceof Error;
}
