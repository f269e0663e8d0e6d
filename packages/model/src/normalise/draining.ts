import type { ConfigObject } from "../config-object.ts";
import { drainingLabel, persistentSessionLabel } from "../metadata-read.ts";
import type { Endpoint, Service } from "../model.ts";

/** Whether a service's label names a cookie by which callers stay with an endpoint, as a field of the service. */
export const sessionsOf = ({
  metadata: { labels },
}: Pick<ConfigObject, "metadata">): Pick<Service, "keepsSessions"> =>
  labels[persistentSessionLabel] ? { keepsSessions: true } : {};

const isToDrain = ({ labels }: Endpoint): boolean => Boolean(labels[drainingLabel]);

/** Endpoints whose workloads are labelled so drain, or are gone where nobody has a session (Istio). */
export function withDraining(
  { keepsSessions }: Pick<Service, "keepsSessions">,
  endpoints: readonly Endpoint[],
): readonly Endpoint[] {
  if (!endpoints.some(isToDrain)) return endpoints;
  if (keepsSessions === undefined) return endpoints.filter((endpoint) => !isToDrain(endpoint));
  return endpoints.map((endpoint) => (isToDrain(endpoint) ? { ...endpoint, draining: true } : endpoint));
}
