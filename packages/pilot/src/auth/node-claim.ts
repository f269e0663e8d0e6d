import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import type { Caller } from "./authenticator.ts";

/** Who an xDS node says it is, in the first request of its stream. */
export interface NodeClaim {
  readonly id: string;
  /** Empty: not said. */
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Kubernetes node; empty: not said. */
  readonly nodeName: string;
}

export type Verdict =
  | {
      readonly allowed: true;
      /** The Kubernetes node whose own resources the stream may see; "" for none. */
      readonly nodeName: string;
    }
  | { readonly allowed: false; readonly reason: string };

export interface NodeRules {
  /** Namespace and service account of a node must be its caller's (PILOT_ENABLE_XDS_IDENTITY_CHECK). */
  readonly identityCheck: boolean;
  /** "namespace/serviceaccount" of those that act for a whole Kubernetes node. */
  readonly nodeAccounts: ReadonlySet<string>;
}

/** Reads the Node message of a stream's first request; a namespace that is not told is the domain's first label, as in Pilot. */
export function nodeClaim(node: {
  readonly id: string;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}): NodeClaim {
  const text = (key: string): string => {
    const value = node.metadata?.[key];
    return typeof value === "string" ? value : "";
  };
  const domain = node.id.split("~", 5)[3] ?? "";
  return {
    id: node.id,
    namespace: text("NAMESPACE") || (domain.split(".", 1)[0] ?? ""),
    serviceAccount: text("SERVICE_ACCOUNT"),
    nodeName: text(nodeNameMetadata),
  };
}

/**
 * Whether a caller may be the node that it claims to be.
 * @param caller undefined on a port without TLS, where nobody can be told and everybody is believed
 */
export function authorizeNode(caller: Caller | undefined, claim: NodeClaim, rules: NodeRules): Verdict {
  if (caller === undefined) return { allowed: true, nodeName: claim.nodeName };
  const reason = rules.identityCheck ? whyNotWorkload(caller, claim) : undefined;
  if (reason !== undefined) return { allowed: false, reason };
  return claim.id.startsWith(applierIdPrefix)
    ? authorizeApplier(caller, claim, rules)
    : { allowed: true, nodeName: "" };
}

function whyNotWorkload({ identity }: Caller, { namespace, serviceAccount }: NodeClaim): string | undefined {
  const account = `${identity.namespace}/${identity.serviceAccount}`;
  if (namespace !== "" && namespace !== identity.namespace) {
    return `the node claims the namespace ${quote(namespace)}; its caller is ${account}`;
  }
  if (serviceAccount !== "" && serviceAccount !== identity.serviceAccount) {
    return `the node claims the service account ${quote(serviceAccount)}; its caller is ${account}`;
  }
  return undefined;
}

/** The policy of a node tells of all its workloads, so neither any workload of it nor another node's applier may read it. */
function authorizeApplier(
  { identity, node }: Caller,
  { nodeName }: NodeClaim,
  { nodeAccounts }: NodeRules,
): Verdict {
  const account = `${identity.namespace}/${identity.serviceAccount}`;
  const deny = (reason: string): Verdict => ({ allowed: false, reason });
  if (!nodeAccounts.has(account)) {
    return deny(`${account} may not act for a node; those that may: ${[...nodeAccounts].join(", ")}`);
  }
  if (nodeName === "") return deny(`the node's metadata has no ${nodeNameMetadata}`);
  if (node === undefined) {
    return deny(
      `the node claims to be on ${quote(nodeName)}; its credential is not bound to a Kubernetes node`,
    );
  }
  if (node !== nodeName)
    return deny(`the node claims to be on ${quote(nodeName)}; its token was issued for ${node}`);
  return { allowed: true, nodeName };
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 300));
