import { AuthenticationError, type Caller } from "./authenticator.ts";
import { nodeClaim } from "./node-claim.ts";
import type { PeerGuard } from "./peer-guard.ts";
import type { IncomingCall } from "./presented.ts";

/** What becomes of a stream: the xDS server's `Admission`. */
export type StreamAdmission =
  | { readonly admitted: true; readonly nodeName: string }
  | {
      readonly admitted: false;
      readonly code: "UNAUTHENTICATED" | "PERMISSION_DENIED";
      readonly reason: string;
    };

/** What a peer said of itself; its metadata must hold NAMESPACE, SERVICE_ACCOUNT and NODE_NAME, if they were told. */
export interface IntroducedNode {
  readonly message: {
    readonly id: string;
    readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  };
}

/**
 * @param onAdmitted told of everybody that is let in and that somebody vouches for
 * @returns what the xDS server asks at the first request of a stream; a peer without a node sees nothing of any
 */
export function admitBy<Introduced extends IntroducedNode>(
  guard: PeerGuard,
  onAdmitted: (node: Introduced, caller: Caller) => void = () => undefined,
): (call: IncomingCall, node: Introduced | undefined) => Promise<StreamAdmission> {
  return async (call, node) => {
    let caller: Caller | undefined;
    try {
      caller = await guard.authenticate(call);
    } catch (error) {
      if (!(error instanceof AuthenticationError)) throw error;
      return { admitted: false, code: "UNAUTHENTICATED", reason: error.message };
    }
    const verdict = guard.authorize(caller, nodeClaim(node?.message ?? { id: "" }));
    if (!verdict.allowed) return { admitted: false, code: "PERMISSION_DENIED", reason: verdict.reason };
    if (node !== undefined && caller !== undefined) onAdmitted(node, caller);
    return { admitted: true, nodeName: verdict.nodeName };
  };
}
