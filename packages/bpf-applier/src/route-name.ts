import type { HttpMatch } from "@keelson/protos/match";
import type { PortRoute, ServicePort } from "@keelson/protos/policy";
import type { HttpRoute } from "@keelson/protos/route";
import { identifierOf } from "./identifier.ts";

/** As counters name a route: its name, and that of the match that held; or the object that says so. */
export const routeName = ({ name, rule }: HttpRoute, match: HttpMatch | undefined): string =>
  [name, match?.name].filter(Boolean).join(".") || rule;

/** The same for requests that programs take, which of several matches do not know which one held. */
export const programsRouteName = (route: HttpRoute): string =>
  routeName(route, route.matches.length === 1 ? route.matches[0] : undefined);

/** `route` in keys; 0: it has no name. */
export const routeIdentifier = (name: string): bigint => (name === "" ? 0n : identifierOf("route", name));

/** Names by their identifiers. */
export const routeNamesOf = (routes: readonly PortRoute[]): ReadonlyMap<bigint, string> =>
  new Map(
    routes
      .flatMap(({ route }) => (route === undefined ? [] : programsRouteName(route)))
      .map((name) => [routeIdentifier(name), name]),
  );

/** Routes of a port by their identifiers; they are looked at when the first name is asked for. */
export class RouteNames {
  private readonly port: ServicePort;
  private names: ReadonlyMap<bigint, string> | undefined;

  constructor(port: ServicePort) {
    this.port = port;
  }

  /** Empty: there is none such. */
  of(identifier: bigint): string {
    this.names ??= routeNamesOf(this.port.routes);
    return this.names.get(identifier) ?? "";
  }
}
