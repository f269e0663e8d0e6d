import type { Gateway, Mesh } from "@keelson/protos/proxy";
import { objectKey, type Problem, problemOf } from "./config-object.ts";
import type { IngressObject, ServiceObject } from "./kinds/index.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import type { RouteSource } from "./model.ts";
import {
  type ControllerLookup,
  ingressGateway,
  ingressTables,
  type PortLookup,
  whyNotOurs,
} from "./normalise/ingresses.ts";
import type { Normalised } from "./normalise/normalised.ts";
import { byAge } from "./order.ts";

/** Makes tables and gateways of Ingresses; remembers what it made of objects that did not change. */
export class Ingresses {
  private readonly gateways = new Memo<Gateway>();
  private readonly tables = new Memo<Normalised<readonly RouteSource[]>>();

  buildGateways(objects: ObjectLists, mesh: Mesh): Gateway[] {
    return ours(objects, mesh).map((object) =>
      this.gateways.get(objectKey(object), [object, mesh], () => ingressGateway(object, mesh)),
    );
  }

  /** The older Ingress first. */
  buildTables(objects: ObjectLists, mesh: Mesh, problems: Problem[]): RouteSource[] {
    const services = new Map(
      objects
        .of("Service", "")
        .map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]),
    );
    for (const object of all(objects)) {
      const reason = whyNotOurs(object, mesh, controllersIn(objects));
      if (reason === undefined) continue;
      problems.push(problemOf("warning", object, ["spec"], `${reason}; the Ingress is left to others`));
    }
    return ours(objects, mesh).flatMap((object) => {
      const behind = backends(object).map((name) => services.get(`${object.metadata.namespace}/${name}`));
      const made = this.tables.get(objectKey(object), [object, mesh, ...behind], () =>
        ingressTables(object, mesh, portLookup(behind)),
      );
      problems.push(...made.problems);
      return made.value;
    });
  }

  endRound(): void {
    this.gateways.endRound();
    this.tables.endRound();
  }
}

/** Of both groups that Ingresses were in; an API server shows the same ones in both. */
function all(objects: ObjectLists): IngressObject[] {
  const byName = new Map<string, IngressObject>();
  for (const object of [
    ...objects.of("Ingress", "extensions"),
    ...objects.of("Ingress", "networking.k8s.io"),
  ]) {
    byName.set(`${object.metadata.namespace}/${object.metadata.name}`, object);
  }
  return [...byName.values()].sort(byAge);
}

const ours = (objects: ObjectLists, mesh: Mesh): IngressObject[] =>
  all(objects).filter((object) => whyNotOurs(object, mesh, controllersIn(objects)) === undefined);

const controllersIn =
  (objects: ObjectLists): ControllerLookup =>
  (className) =>
    objects.of("IngressClass", "networking.k8s.io").find(({ metadata }) => metadata.name === className)?.body
      .spec.controller;

const backends = ({ body: { spec } }: IngressObject): string[] =>
  [
    spec.defaultBackend,
    spec.backend,
    ...spec.rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend)),
  ].flatMap((backend) => backend?.service?.name ?? backend?.serviceName ?? []);

const portLookup =
  (services: readonly (ServiceObject | undefined)[]): PortLookup =>
  (service, port) =>
    services
      .find((object) => object?.metadata.name === service)
      ?.body.spec.ports.find(({ name }) => name === port)?.port;
