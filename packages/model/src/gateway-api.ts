import type { Gateway } from "@keelson/protos/proxy";
import { objectKey, type Problem } from "./config-object.ts";
import type { GatewayObject, HttpRouteObject, ServiceObject } from "./kinds/index.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import { meshGateway, type RouteSource } from "./model.ts";
import { normaliseGateway } from "./normalise/gateways.ts";
import { resolveHost, serviceHostname } from "./normalise/hosts.ts";
import { type Attachment, attachmentsOf } from "./normalise/http-route-parents.ts";
import { type AttachedRoutes, httpRouteTable, httpTableName } from "./normalise/http-route-tables.ts";
import { type MatchedRoute, normaliseHttpRoute } from "./normalise/http-routes.ts";
import type { Normalised } from "./normalise/normalised.ts";
import type { ReferenceGrants } from "./normalise/reference-grants.ts";
import { byAge } from "./order.ts";

/** What a route depends on beside itself. */
interface Surroundings {
  /** By "namespace/name". */
  readonly gateways: ReadonlyMap<string, GatewayObject>;
  readonly grants: ReferenceGrants;
}

/** Makes tables and gateways of the Gateway API's kinds; remembers what it made of objects that did not change. */
export class GatewayApi {
  private readonly domain: string;
  private readonly gateways = new Memo<Normalised<readonly Gateway[]>>();
  private readonly routes = new Memo<Normalised<readonly MatchedRoute[]>>();
  private readonly attachments = new Memo<Normalised<readonly Attachment[]>>();
  private readonly attached = new Memo<readonly AttachedRoutes[]>();
  private readonly tables = new Memo<RouteSource>();

  constructor(domain: string) {
    this.domain = domain;
  }

  buildGateways(objects: ObjectLists, grants: ReferenceGrants, problems: Problem[]): Gateway[] {
    const services = new Map(
      objects
        .of("Service", "")
        .map((object) => [
          serviceHostname(object.metadata.name, object.metadata.namespace, this.domain),
          object,
        ]),
    );
    return objects.of("Gateway", "gateway.networking.k8s.io").flatMap((object) => {
      const service = this.serviceOf(object, services);
      const made = this.gateways.get(objectKey(object), [object, service, grants], () =>
        normaliseGateway(object, service, grants),
      );
      problems.push(...made.problems);
      return made.value;
    });
  }

  /** In the order of their names. */
  buildTables(objects: ObjectLists, grants: ReferenceGrants, problems: Problem[]): RouteSource[] {
    const gateways = new Map(
      objects
        .of("Gateway", "gateway.networking.k8s.io")
        .map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]),
    );
    const all = objects
      .of("HTTPRoute", "gateway.networking.k8s.io")
      .toSorted(byAge)
      .flatMap((object) => this.attach(object, { gateways, grants }, problems));
    return [...Map.groupBy(all, httpTableName)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attached]) => this.tables.get(name, attached, () => httpRouteTable(name, attached)));
  }

  endRound(): void {
    for (const memo of [this.gateways, this.routes, this.attachments, this.attached, this.tables])
      memo.endRound();
  }

  private attach(
    object: HttpRouteObject,
    { gateways, grants }: Surroundings,
    problems: Problem[],
  ): readonly AttachedRoutes[] {
    const key = objectKey(object);
    const parents = object.body.spec.parentRefs.map(({ namespace = object.metadata.namespace, name }) =>
      gateways.get(`${namespace}/${name}`),
    );
    const attachments = this.attachments.get(key, [object, ...parents], () =>
      attachmentsOf(object, (name) => gateways.get(name), this.domain),
    );
    const places = [true, false].filter((inMesh) =>
      attachments.value.some(({ gateway }) => (gateway === meshGateway) === inMesh),
    );
    const routes = places.map((inMesh) =>
      this.routes.get(`${key}/${inMesh}`, [object, grants], () =>
        normaliseHttpRoute(object, this.domain, inMesh ? undefined : grants),
      ),
    );
    // What is wrong with a rule in the mesh is wrong with it at a gateway, too.
    problems.push(...attachments.problems, ...(routes.at(-1)?.problems ?? []));
    return this.attached.get(key, [attachments, ...routes], () =>
      attachments.value.map((attachment) => {
        const at = places.indexOf(attachment.gateway === meshGateway);
        return { attachment, routes: routes[at]?.value ?? [] };
      }),
    );
  }

  private serviceOf(
    { body, metadata }: GatewayObject,
    services: ReadonlyMap<string, ServiceObject>,
  ): ServiceObject | undefined {
    const address = body.spec.addresses.find(({ type, value }) => type === "Hostname" && value !== undefined);
    return address?.value === undefined
      ? undefined
      : services.get(resolveHost(address.value, metadata.namespace, this.domain));
  }
}
