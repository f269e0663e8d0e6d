import { z } from "zod";

/** A resource as Envoy shows it: JSON of google.protobuf.Any. */
const resource = z.looseObject({ name: z.string() });
const assignment = z.looseObject({ cluster_name: z.string() });
/** There, if the last update of a resource was refused. */
const error = z.unknown().optional();

const clusters = z.array(z.object({ cluster: resource, error_state: error })).default([]);

/** Parts of envoy.admin.v3's dumps that tell what came over ADS; each section of a dump has some of them. */
const sectionSchema = z.object({
  dynamic_active_clusters: clusters,
  dynamic_warming_clusters: clusters,
  dynamic_listeners: z
    .array(
      z.object({
        name: z.string(),
        active_state: z.object({ listener: resource }).optional(),
        warming_state: z.unknown().optional(),
        error_state: error,
      }),
    )
    .default([]),
  dynamic_route_configs: z.array(z.object({ route_config: resource, error_state: error })).default([]),
  dynamic_endpoint_configs: z.array(z.object({ endpoint_config: assignment })).default([]),
});

export const dumpedTypes = ["cluster", "listener", "route", "endpoint"] as const;
export type DumpedType = (typeof dumpedTypes)[number];

export type DumpedResource = z.infer<typeof resource> | z.infer<typeof assignment>;

export interface Dump {
  /** What is in use, by name. */
  readonly active: Readonly<Record<DumpedType, ReadonlyMap<string, DumpedResource>>>;
  /** What is not in use yet or was refused, in words: "cluster outbound|80||a is warming". */
  readonly unsettled: readonly string[];
}

const byName = <Item extends { readonly name: string }>(items: readonly Item[]): Map<string, Item> =>
  new Map(items.map((item) => [item.name, item]));

/** @param text Envoy's answer to /config_dump?include_eds */
export function readDump(text: string): Dump {
  const { configs } = z.object({ configs: z.array(sectionSchema) }).parse(JSON.parse(text));
  const active = configs.flatMap((section) => section.dynamic_active_clusters);
  const warming = configs.flatMap((section) => section.dynamic_warming_clusters);
  const listeners = configs.flatMap((section) => section.dynamic_listeners);
  const routes = configs.flatMap((section) => section.dynamic_route_configs);
  const assignments = configs.flatMap((section) => section.dynamic_endpoint_configs);
  const refused = [
    ...[...active, ...warming].filter(({ error_state }) => error_state).map(({ cluster }) => cluster.name),
    ...listeners.filter(({ error_state }) => error_state).map(({ name }) => name),
    ...routes.filter(({ error_state }) => error_state).map(({ route_config }) => route_config.name),
  ];
  return {
    active: {
      cluster: byName(active.map(({ cluster }) => cluster)),
      listener: byName(listeners.flatMap(({ active_state }) => active_state?.listener ?? [])),
      route: byName(routes.map(({ route_config }) => route_config)),
      endpoint: new Map(
        assignments.map(({ endpoint_config }) => [endpoint_config.cluster_name, endpoint_config]),
      ),
    },
    unsettled: [
      ...warming.map(({ cluster }) => `cluster ${cluster.name} is warming`),
      ...listeners
        .filter(({ warming_state }) => warming_state)
        .map(({ name }) => `listener ${name} is warming`),
      ...refused.map((name) => `the last update of ${name} was refused`),
    ],
  };
}
