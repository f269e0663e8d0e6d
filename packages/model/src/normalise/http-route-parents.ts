import { type Problem, problemOf } from "../config-object.ts";
import { covers } from "../kinds/check.ts";
import type { GatewayListener } from "../kinds/gateway.ts";
import type { ParentReference } from "../kinds/gateway-api-fields.ts";
import type { GatewayObject, HttpRouteObject } from "../kinds/index.ts";
import { meshGateway } from "../model.ts";
import { isOurs, listenerGatewayName } from "./gateways.ts";
import { serviceHostname } from "./hosts.ts";
import type { Normalised } from "./normalised.ts";

/** A place where a route's rules are asked. */
export interface Attachment {
  /** "mesh", or the name of a Gateway of the IR. */
  readonly gateway: string;
  readonly host: string;
  /** Namespaces of the callers that are meant; empty: all. */
  readonly exportedTo: readonly string[];
  /** Port that callers dial; 0: any. */
  readonly port: number;
}

/** @param gatewayOf finds a Gateway by "namespace/name" */
export function attachmentsOf(
  object: HttpRouteObject,
  gatewayOf: (name: string) => GatewayObject | undefined,
  domain: string,
): Normalised<readonly Attachment[]> {
  const problems: Problem[] = [];
  const { parentRefs } = object.body.spec;
  const value = parentRefs.flatMap((parent, i): Attachment[] => {
    const { group, kind } = parent;
    const made =
      kind === "Service" && (group === "" || group === "core")
        ? [serviceAttachment(object, parent, domain)]
        : kind === "Gateway" && group === "gateway.networking.k8s.io"
          ? gatewayAttachments(object, parent, gatewayOf)
          : { message: `parent ${kind} is not supported` };
    if (Array.isArray(made)) return made;
    const { message, absent, reason } = made;
    const problem = problemOf("warning", object, ["spec", "parentRefs", i], message, absent);
    problems.push({ ...problem, ...(reason !== undefined && { reason }) });
    return [];
  });
  if (parentRefs.length === 0) {
    problems.push(problemOf("warning", object, ["spec"], "has no effect without parentRefs"));
  }
  return { value, problems };
}

/**
 * Rules from the service's own namespace are for all callers, rules from another one for the callers of that
 * (Gateway API, "Gateway API for Service Mesh").
 */
function serviceAttachment(
  { metadata }: HttpRouteObject,
  parent: ParentReference,
  domain: string,
): Attachment {
  const { name, namespace = metadata.namespace, port = 0 } = parent;
  return {
    gateway: meshGateway,
    host: serviceHostname(name, namespace, domain),
    exportedTo: namespace === metadata.namespace ? [] : [metadata.namespace],
    port,
  };
}

type Missing = Pick<Problem, "message" | "absent" | "reason">;

/** Why a listener does not take a route, as the Gateway API names it; what says most of several comes first. */
const refusals = ["NotAllowedByListeners", "NoMatchingListenerHostname", "NoMatchingParent"] as const;

interface Refusal {
  readonly why: string;
  readonly reason: (typeof refusals)[number];
}

function gatewayAttachments(
  object: HttpRouteObject,
  parent: ParentReference,
  gatewayOf: (name: string) => GatewayObject | undefined,
): Attachment[] | Missing {
  const name = `${parent.namespace ?? object.metadata.namespace}/${parent.name}`;
  const gateway = gatewayOf(name);
  if (gateway === undefined) {
    return { message: `there is no Gateway ${name}`, absent: { what: "gateway", hostname: name } };
  }
  if (!isOurs(gateway)) return [];
  const refused: Refusal[] = [];
  const attachments = gateway.body.spec.listeners.flatMap((listener) => {
    const made = listenerAttachments(object, parent, gateway, listener);
    if (Array.isArray(made)) return made;
    refused.push({ ...made, why: `${listener.name}: ${made.why}` });
    return [];
  });
  if (attachments.length > 0) return attachments;
  return {
    message: `no listener of Gateway ${name} takes it (${refused.map(({ why }) => why).join("; ")})`,
    reason: refusals.find((one) => refused.some(({ reason }) => reason === one)) ?? "NoMatchingParent",
  };
}

/** @returns why the listener does not take the route */
function listenerAttachments(
  { metadata, body }: HttpRouteObject,
  { sectionName, port }: ParentReference,
  gateway: GatewayObject,
  listener: GatewayListener,
): Attachment[] | Refusal {
  const not = (reason: Refusal["reason"], why: string): Refusal => ({ reason, why });
  if (sectionName !== undefined && sectionName !== listener.name)
    return not("NoMatchingParent", "another name");
  if (port !== undefined && port !== listener.port) return not("NoMatchingParent", "another port");
  const { protocol } = listener;
  if (protocol !== "HTTP" && protocol !== "HTTPS") {
    // Of another protocol that is served; others are no listeners at all.
    const isServed = protocol === "TCP" || protocol === "TLS";
    return not(isServed ? "NotAllowedByListeners" : "NoMatchingParent", `protocol ${protocol}`);
  }
  const { namespaces, kinds } = listener.allowedRoutes ?? {};
  const from = namespaces?.from ?? "Same";
  const allowed = from === "All" || (from === "Same" && metadata.namespace === gateway.metadata.namespace);
  if (!allowed)
    return not("NotAllowedByListeners", `routes of namespace ${metadata.namespace} are not allowed`);
  if (kinds !== undefined && !kinds.some(({ kind }) => kind === "HTTPRoute"))
    return not("NotAllowedByListeners", "HTTPRoutes are not allowed");
  const wanted = body.spec.hostnames.length === 0 ? ["*"] : body.spec.hostnames;
  const hosts = wanted.flatMap((host) => common(host.toLowerCase(), listener.hostname?.toLowerCase() ?? "*"));
  if (hosts.length === 0) return not("NoMatchingListenerHostname", `host ${listener.hostname ?? "*"}`);
  return hosts.map((host) => ({
    gateway: listenerGatewayName(gateway, listener),
    host,
    exportedTo: [],
    port: 0,
  }));
}

/** The narrower of two names that have hosts in common. */
function common(a: string, b: string): string[] {
  if (a === b || covers(b, a)) return [a];
  return covers(a, b) ? [b] : [];
}
