import { grpcStatusKey, grpcStatusOfHttp } from "./grpc-status.ts";
import { headerOf } from "./header-changes.ts";
import type { Answer, RawHeaders, RequestHead } from "./types.ts";

const grpcType = "application/grpc";

/** Whether a request is one of gRPC (Envoy's test: "application/grpc", alone or with "+…"). */
function isGrpc({ rawHeaders }: Pick<RequestHead, "rawHeaders">): boolean {
  const type = headerOf(rawHeaders, "content-type");
  return type === grpcType || type?.startsWith(`${grpcType}+`) === true;
}

export interface OwnAnswer {
  readonly status: number;
  /** Text, or bytes of a rule. */
  readonly body?: string | Uint8Array;
  /** Headers that come before the content's type. */
  readonly rawHeaders?: RawHeaders;
  /** What a gRPC caller gets, if not by the status. */
  readonly grpcStatus?: number;
}

/**
 * An answer of the relay's own in the caller's words: a gRPC caller gets a status of gRPC's, with the text as its message.
 * Its content is not sent where the method is HEAD.
 */
export function ownAnswer(
  request: Pick<RequestHead, "method" | "rawHeaders">,
  answer: OwnAnswer,
): Pick<Answer, "status" | "rawHeaders" | "body"> {
  const body = Buffer.from(answer.body ?? "");
  const given = answer.rawHeaders ?? [];
  if (isGrpc(request)) {
    const status = answer.grpcStatus ?? grpcStatusOfHttp(answer.status);
    const message =
      body.length > 0 && request.method !== "HEAD" ? ["grpc-message", percentEncoded(body)] : [];
    const rawHeaders = [...given, "content-type", grpcType, grpcStatusKey, `${status}`, ...message];
    return { status: 200, rawHeaders, body: Buffer.alloc(0) };
  }
  const typed = body.length === 0 || headerOf(given, "content-type") !== undefined;
  return {
    status: answer.status,
    rawHeaders: typed ? given : [...given, "content-type", "text/plain"],
    body,
  };
}

/** As grpc-message wants it: printable ASCII but "%". */
const percentEncoded = (bytes: Uint8Array): string =>
  [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");
