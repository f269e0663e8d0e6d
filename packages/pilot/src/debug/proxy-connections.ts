import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { ConnectionView, TypeStatus } from "@keelson/xds";
import type { ProxyConnection, Watch } from "./proxy-connection.ts";

/** The parts of Istio's node ids, `type~ip~name.namespace~dnsdomain`; undefined for any other id. */
function partsOf(id: string): { type: string; proxy: string; domain: string } | undefined {
  const [type = "", ip, proxy = "", domain = "", ...rest] = id.split("~");
  return ip === undefined || domain === "" || rest.length > 0 ? undefined : { type, proxy, domain };
}

const textOf = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");

function textsOf(value: JsonValue | undefined): Record<string, string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, textOf(inner)]));
}

/** A stream as people look at it: by the name of its proxy, and a number. */
export function proxyConnection(view: ConnectionView): ProxyConnection {
  const { id, node, number, peer, connectedAt, types } = view;
  const metadata: JsonObject = node.metadata ?? {};
  const parts = partsOf(id);
  const proxy = parts?.proxy ?? id;
  const { region = "", zone = "", subZone = "" } = node.locality ?? {};
  return {
    id: `${proxy}-${number}`,
    number,
    proxy,
    type: parts?.type ?? "",
    namespace: textOf(metadata["NAMESPACE"]) || (parts?.domain.split(".", 1)[0] ?? ""),
    clusterId: textOf(metadata["CLUSTER_ID"]),
    istioVersion: textOf(metadata["ISTIO_VERSION"]),
    metadata,
    labels: { ...textsOf(metadata["STATIC_LABELS"]), ...textsOf(metadata["LABELS"]) },
    locality: { region, zone, subZone },
    peer,
    connectedAt,
    watches: new Map(
      Object.entries(types).map(([typeUrl, status]) => [typeUrl, watch(view, typeUrl, status)]),
    ),
    resources: (typeUrl) => view.resources(typeUrl),
  };
}

function watch(view: ConnectionView, typeUrl: string, status: TypeStatus): Watch {
  const { sentNonce, ackedNonce, rejection } = status;
  return {
    get names() {
      return view.names(typeUrl);
    },
    sent: sentNonce,
    acked: ackedNonce,
    sentAt: view.sentAt(typeUrl),
    error: rejection?.message ?? "",
  };
}
