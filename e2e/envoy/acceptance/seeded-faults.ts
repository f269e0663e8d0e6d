// Wrong resources, to see that Envoys that are given them are not found to be well.
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "@envoyproxy/xds-protos/envoy/config/cluster/v3/cluster_pb.js";
import { Http1ProtocolOptionsSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/protocol_pb.js";
import { ListenerSchema } from "@envoyproxy/xds-protos/envoy/config/listener/v3/listener_pb.js";
import type { Resource } from "@keelson/protos";
import type { Resources } from "@keelson/xds";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import type { Alter } from "./mesh-server.ts";

export interface SeededFault {
  readonly title: string;
  readonly alter: Alter;
  /** Each is in what one of the faults that are found says. */
  readonly signs: readonly RegExp[];
}

/** Changes the lists of one type; the same list for the same list, as the server asks of views. */
function altering(wanted: string, change: (resource: Resource) => Resource | undefined): Alter {
  const known = new WeakMap<Resources, Resources>();
  const alter = (list: Resources): Resources => {
    const made =
      known.get(list) ??
      new Map(
        [...list].flatMap(([name, resource]) => {
          const changed = change(resource);
          return changed === undefined ? [] : [[name, changed]];
        }),
      );
    known.set(list, made);
    return made;
  };
  return (view) => ({
    resources: (typeUrl) => (typeUrl === wanted ? alter(view.resources(typeUrl)) : view.resources(typeUrl)),
    lookup: (typeUrl, name) => (typeUrl === wanted ? undefined : view.lookup?.(typeUrl, name)),
  });
}

/** Changes the message of a resource whose name begins so. */
const inMessage =
  <Desc extends DescMessage>(schema: Desc, prefix: string, change: (message: MessageShape<Desc>) => void) =>
  (resource: Resource): Resource => {
    if (!resource.name.startsWith(prefix)) return resource;
    const message = fromBinary(schema, resource.body);
    change(message);
    return { ...resource, version: `${resource.version}-changed`, body: toBinary(schema, message) };
  };

export const seededFaults: readonly SeededFault[] = [
  {
    title: "a listener without filter chains is refused",
    alter: altering(
      envoyTypeUrls.listener,
      inMessage(ListenerSchema, "", (listener) => {
        listener.filterChains = [];
        delete listener.defaultFilterChain;
      }),
    ),
    signs: [/ refused .*Listener: .*no filter chains/s, /lds\.update_rejected grew/, /\[warning\].*rejected/],
  },
  {
    title: "a deprecated field is told",
    alter: altering(
      envoyTypeUrls.cluster,
      inMessage(ClusterSchema, "outbound|", (cluster) => {
        cluster.httpProtocolOptions = create(Http1ProtocolOptionsSchema);
        cluster.typedExtensionProtocolOptions = {};
      }),
    ),
    signs: [/runtime\.deprecated_feature_use grew/, /\[warning\].*[Dd]eprecated/],
  },
  {
    title: "endpoints that nobody sends keep an Envoy from serving",
    alter: altering(envoyTypeUrls.endpoint, () => undefined),
    signs: [/^it is PRE_INITIALIZING$/],
  },
];
