import { fromBinary } from "@bufbuild/protobuf";
import { formatEndpoint, ModelBuilder, type Problem } from "@keelson/model";
import { type Manifest, read } from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import type { HttpMatch, StringMatch } from "@keelson/protos/match";
import {
  type Destination,
  type Endpoint,
  EndpointSetSchema,
  Protocol,
  type Service,
  ServiceSchema,
  type Workload,
  WorkloadSchema,
} from "@keelson/protos/policy";
import { type Compiled, Compiler } from "../compiler.ts";
import type { PortExplanation } from "../explanation.ts";

const fullName = (name: string): string => (name.includes(".") ? name : `${name}.default.svc.cluster.local`);

const textOfString = ({ how }: StringMatch): string => `${how.case} ${how.value}`;

function textOfMatch({ uri, headers, source }: HttpMatch): string {
  const parts = [
    ...(uri ? [`uri ${textOfString(uri)}`] : []),
    ...headers.map(({ name, value }) => `header ${name} ${value ? textOfString(value) : "present"}`),
    ...(source?.namespace ? [`from ${source.namespace}`] : []),
  ];
  return parts.length === 0 ? "all" : parts.join(" and ");
}

/** What the compiler made of some manifests, read back from the bytes that nodes get. */
export class View {
  readonly compiled: Compiled;

  constructor(compiled: Compiled) {
    this.compiled = compiled;
  }

  /** @param name a hostname, or the name of a service in namespace default */
  service(name: string): Service {
    return fromBinary(ServiceSchema, this.body(policyTypeUrls.service, fullName(name)));
  }

  services(): Service[] {
    const names = this.compiled.resources.get(policyTypeUrls.service)?.keys() ?? [];
    return [...names].map((name) => this.service(name));
  }

  endpointSetNames(): string[] {
    return [...(this.compiled.resources.get(policyTypeUrls.endpointSet)?.keys() ?? [])];
  }

  endpoints(setName: string): Endpoint[] {
    return fromBinary(EndpointSetSchema, this.body(policyTypeUrls.endpointSet, setName)).endpoints;
  }

  workload(name: string): Workload {
    return fromBinary(WorkloadSchema, this.body(policyTypeUrls.workload, name));
  }

  /** Where connections to a port go: "80: 10.1.1.1:9080 10.1.1.2:9080", the weight first. */
  destinations(name: string, port: number, protocol = Protocol.TCP): string[] {
    const found = this.service(name).ports.find((each) => each.port === port && each.protocol === protocol);
    if (found === undefined) throw new Error(`${name} has no port ${port}`);
    return found.destinations.map((destination) => this.textOf(destination));
  }

  /** How requests to a port are answered: "header a exact b → 80: 10.1.1.1:9080, 20: 10.1.1.2:9080". */
  routes(name: string, port: number): string[] {
    const found = this.service(name).ports.find((each) => each.port === port);
    if (found === undefined) throw new Error(`${name} has no port ${port}`);
    return found.routes.map(({ route, destinations }) => {
      const to = destinations.map((destination) => this.textOf(destination)).join(", ");
      return `${(route?.matches ?? []).map(textOfMatch).join(" or ")} → ${to}`.trim();
    });
  }

  private textOf({ weight, endpointSet }: Destination): string {
    const addresses = this.endpoints(endpointSet).map((each) => formatEndpoint(each.address, each.port));
    return [`${weight}:`, ...addresses].join(" ");
  }

  explain(name: string, port = 9080): PortExplanation {
    const found = this.compiled.explain(fullName(name))?.ports.find((each) => each.port === port);
    if (found === undefined) throw new Error(`${name} has no port ${port}`);
    return found;
  }

  /** "default/reviews-rule: spec.match: the rule is not applied …" */
  get problems(): string[] {
    return this.compiled.problems.map(
      ({ object, field, message }: Problem) => `${object.replace(/^.* /, "")}: ${field}: ${message}`,
    );
  }

  private body(typeUrl: string, name: string): Uint8Array {
    const found = this.compiled.resources.get(typeUrl)?.get(name);
    if (found === undefined) throw new Error(`there is no ${typeUrl} "${name}"`);
    return found.body;
  }
}

/** Compiles manifests from nothing. */
export const compile = (...manifests: readonly Manifest[]): View =>
  new View(new Compiler().compile(new ModelBuilder().build(read(...manifests)).model));
