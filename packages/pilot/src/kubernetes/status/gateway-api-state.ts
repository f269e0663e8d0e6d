import {
  describeObject,
  type GatewayObject,
  type HttpRouteObject,
  isOurGateway,
  listenerGatewayName,
  type Model,
  type Problem,
  resolveHost,
  serviceHostname,
} from "@keelson/model";
import type { PipelineState } from "../../config/config-pipeline.ts";
import { no, type Verdict, yes } from "./verdict.ts";

/** What is said of a route at one of its parents. */
export interface ParentVerdict {
  /** As the route names it. */
  readonly parentRef: HttpRouteObject["body"]["spec"]["parentRefs"][number];
  readonly verdicts: readonly Verdict[];
}

export interface ListenerVerdict {
  readonly name: string;
  readonly attachedRoutes: number;
  readonly servesHttp: boolean;
  readonly verdicts: readonly Verdict[];
}

export interface GatewayVerdict {
  readonly verdicts: readonly Verdict[];
  readonly listeners: readonly ListenerVerdict[];
}

/** The class of Gateways that another control plane programs. */
const remoteClass = "istio-remote";

/** What one state of the configuration says of the Gateway API's objects. */
export class GatewayApiState {
  private readonly model: Model;
  private readonly domain: string;
  /** By "namespace/name". */
  private readonly gateways: ReadonlyMap<string, GatewayObject>;
  private readonly routes: ReadonlyMap<string, HttpRouteObject>;
  /** By the object that they are about. */
  private readonly problems: ReadonlyMap<string, readonly Problem[]>;
  /** Name of a Gateway of the model → routes that it serves. */
  private readonly attached: ReadonlyMap<string, ReadonlySet<object>>;

  constructor(
    { objects, model, problems }: Pick<PipelineState, "objects" | "model" | "problems">,
    domain: string,
  ) {
    this.model = model;
    this.domain = domain;
    this.gateways = new Map(
      objects.flatMap((object) =>
        object.kind === "Gateway" && object.group === "gateway.networking.k8s.io"
          ? [[nameOf(object), object]]
          : [],
      ),
    );
    this.routes = new Map(
      objects.flatMap((object) => (object.kind === "HTTPRoute" ? [[nameOf(object), object]] : [])),
    );
    this.problems = Map.groupBy(problems, ({ object }) => object);
    this.attached = attachedRoutes(model);
  }

  /** @returns undefined if there is no such route that can be read; only parents that are ours */
  route(name: string): ParentVerdict[] | undefined {
    const route = this.routes.get(name);
    if (route === undefined) return undefined;
    const problems = this.problems.get(describeObject(route)) ?? [];
    const resolved = this.resolvedRefs(route, problems);
    return route.body.spec.parentRefs.flatMap((parentRef, i) => {
      const accepted = this.acceptedBy(route, i, problems);
      return accepted === undefined ? [] : [{ parentRef, verdicts: [accepted, resolved] }];
    });
  }

  /** @returns undefined if there is no such Gateway that can be read, or if it is not ours */
  gateway(name: string): GatewayVerdict | undefined {
    const gateway = this.gateways.get(name);
    if (gateway === undefined || !isOurGateway(gateway)) return undefined;
    if (gateway.body.spec.gatewayClassName === remoteClass) {
      const programmed = yes("Programmed", "Programmed", "This Gateway is remote; it is not programmed here");
      return { verdicts: [yes("Accepted", "Accepted", "Resource accepted"), programmed], listeners: [] };
    }
    const problems = this.problems.get(describeObject(gateway)) ?? [];
    const listeners = gateway.body.spec.listeners.map((listener, i) => ({
      name: listener.name,
      servesHttp: listener.protocol === "HTTP" || listener.protocol === "HTTPS",
      attachedRoutes: this.attached.get(listenerGatewayName(gateway, listener))?.size ?? 0,
      verdicts: listenerVerdicts(problems.filter(({ field }) => isBelow(field, `spec.listeners[${i}]`))),
    }));
    return { verdicts: [acceptedIf(listeners), this.programmed(gateway)], listeners };
  }

  /** @returns undefined if the parent is not ours to judge */
  private acceptedBy(route: HttpRouteObject, i: number, problems: readonly Problem[]): Verdict | undefined {
    const parent = route.body.spec.parentRefs[i];
    if (parent === undefined) return undefined;
    const { kind, name, namespace = route.metadata.namespace } = parent;
    if (kind === "Service") {
      const hostname = serviceHostname(name, namespace, this.domain);
      if (!this.model.services.has(hostname))
        return no("Accepted", "NoMatchingParent", `there is no service ${hostname}`);
    } else {
      const gateway = kind === "Gateway" ? this.gateways.get(`${namespace}/${name}`) : undefined;
      if (gateway === undefined || !isOurGateway(gateway)) return undefined;
    }
    const problem = problems.find(({ field }) => isBelow(field, `spec.parentRefs[${i}]`));
    return problem === undefined
      ? yes("Accepted", "Accepted", "Route was valid")
      : no("Accepted", problem.reason ?? "NoMatchingParent", problem.message);
  }

  private resolvedRefs(route: HttpRouteObject, problems: readonly Problem[]): Verdict {
    const problem = problems.find(
      ({ field, reason }) => field.startsWith("spec.rules[") && reason !== undefined,
    );
    if (problem?.reason !== undefined) return no("ResolvedRefs", problem.reason, problem.message);
    const missing = route.body.spec.rules
      .flatMap(({ backendRefs }) => backendRefs)
      .map(({ kind, name, namespace = route.metadata.namespace }) =>
        kind === "Service" ? serviceHostname(name, namespace, this.domain) : name.toLowerCase(),
      )
      .find((hostname) => !this.model.services.has(hostname));
    return missing === undefined
      ? yes("ResolvedRefs", "ResolvedRefs", "All references resolved")
      : no("ResolvedRefs", "BackendNotFound", `backend(${missing}) not found`);
  }

  /** Whether the Services that carry a Gateway's calls are there, and have its ports. */
  private programmed({ body: { spec }, metadata }: GatewayObject): Verdict {
    const named = spec.addresses.flatMap(({ type, value }) =>
      type === "Hostname" && value !== undefined ? [resolveHost(value, metadata.namespace, this.domain)] : [],
    );
    const own = serviceHostname(`${metadata.name}-${spec.gatewayClassName}`, metadata.namespace, this.domain);
    const wanted = spec.addresses.length === 0 ? [own] : named;
    if (wanted.length === 0)
      return no("Programmed", "UnsupportedAddress", "Failed to assign to any requested addresses");
    const lacking = wanted.flatMap((hostname) => {
      const ports = this.model.services.get(hostname)?.ports.map(({ port }) => port);
      if (ports === undefined) return [`hostname "${hostname}" not found`];
      return spec.listeners
        .filter(({ port }) => !ports.includes(port))
        .map(({ port }) => `port ${port} not found for hostname "${hostname}"`);
    });
    if (lacking.length > 0) {
      const text = `Failed to assign to all requested addresses: ${[...new Set(lacking)].join("; ")}`;
      return no("Programmed", "AddressNotAssigned", text);
    }
    const places = wanted.flatMap((hostname) => spec.listeners.map(({ port }) => `${hostname}:${port}`));
    const text = `Resource programmed, assigned to service(s) ${[...new Set(places)].join(", ")}`;
    return yes("Programmed", "Programmed", text);
  }
}

const nameOf = ({ metadata: { namespace, name } }: GatewayObject | HttpRouteObject): string =>
  `${namespace}/${name}`;

const isBelow = (field: string, path: string): boolean =>
  field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);

function attachedRoutes(model: Model): Map<string, Set<object>> {
  const attached = new Map<string, Set<object>>();
  for (const { table, http } of model.routes.values()) {
    for (const gateway of table.gateways) {
      const routes = attached.get(gateway) ?? new Set();
      for (const { object } of http) if (object.kind === "HTTPRoute") routes.add(object);
      attached.set(gateway, routes);
    }
  }
  return attached;
}

const noErrors = "No errors found";

function listenerVerdicts(problems: readonly Problem[]): Verdict[] {
  const reference = problems.find(
    ({ reason }) => reason === "InvalidCertificateRef" || reason === "RefNotPermitted",
  );
  const other = problems.find(({ reason }) => reason === "UnsupportedProtocol" || reason === "Invalid");
  return [
    other === undefined
      ? yes("Accepted", "Accepted", noErrors)
      : no("Accepted", other.reason ?? "Invalid", other.message),
    no("Conflicted", "NoConflicts", noErrors),
    other === undefined && reference === undefined
      ? yes("Programmed", "Programmed", noErrors)
      : no("Programmed", "Invalid", (other ?? reference)?.message ?? ""),
    reference === undefined
      ? yes("ResolvedRefs", "ResolvedRefs", noErrors)
      : no("ResolvedRefs", reference.reason ?? "InvalidCertificateRef", reference.message),
  ];
}

/** A Gateway is accepted while one of its listeners is. */
function acceptedIf(listeners: readonly ListenerVerdict[]): Verdict {
  const valid = listeners.filter(({ verdicts }) =>
    verdicts.every(({ type, status }) => type === "Conflicted" || status === "True"),
  ).length;
  if (valid === listeners.length) return yes("Accepted", "Accepted", "Resource accepted");
  return valid === 0
    ? no("Accepted", "ListenersNotValid", "None of the Gateway's listeners are valid")
    : yes("Accepted", "ListenersNotValid", "One or more of the Gateway's listeners are invalid");
}
