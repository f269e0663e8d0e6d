import { AuthenticationError, type Authenticator, authenticate, type Caller } from "./authenticator.ts";
import { authorizeNode, type NodeClaim, type NodeRules, type Verdict } from "./node-claim.ts";
import { type IncomingCall, presentedBy } from "./presented.ts";

/** Guards the services of one port: who calls, and whether it may be the node that it claims to be. */
export interface PeerGuard {
  /**
   * @returns undefined on a port where nobody is asked.
   * @throws AuthenticationError (UNAUTHENTICATED), if nobody vouches for the caller
   */
  authenticate(call: IncomingCall): Promise<Caller | undefined>;
  /** Anything but `allowed` is PERMISSION_DENIED. */
  authorize(caller: Caller | undefined, claim: NodeClaim): Verdict;
}

/** For a port without TLS: everybody is let in and believed, as in Pilot. */
export const openGuard: PeerGuard = {
  authenticate: () => Promise.resolve(undefined),
  authorize: (_, { nodeName }) => ({ allowed: true, nodeName }),
};

export interface Failure {
  /** Address of the caller. */
  readonly peer: string;
  readonly reason: string;
}

/** For a port with TLS: every caller must show who it is. */
export class AuthenticatingGuard implements PeerGuard {
  private readonly authenticators: readonly Authenticator[];
  private readonly rules: NodeRules;
  private readonly onFailure: (failure: Failure) => void;

  /** @param onFailure told of each caller that nobody vouches for */
  constructor(
    authenticators: readonly Authenticator[],
    rules: NodeRules,
    onFailure: (failure: Failure) => void,
  ) {
    this.authenticators = authenticators;
    this.rules = rules;
    this.onFailure = onFailure;
  }

  async authenticate(call: IncomingCall): Promise<Caller> {
    try {
      return await authenticate(presentedBy(call), this.authenticators);
    } catch (error) {
      if (error instanceof AuthenticationError)
        this.onFailure({ peer: call.getPeer(), reason: error.message });
      throw error;
    }
  }

  authorize(caller: Caller | undefined, claim: NodeClaim): Verdict {
    return authorizeNode(caller, claim, this.rules);
  }
}
