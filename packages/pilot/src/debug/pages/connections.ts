import { envoyTypeUrls } from "@keelson/xds/envoy";
import { aboutProxies, aboutProxy, json, omitEmpty, type Page, text } from "../page.ts";
import type { ProxyConnection } from "../proxy-connection.ts";

/** Go's zero time: never. */
const never = "0001-01-01T00:00:00Z";

/** Types that have fields of their own in an answer of syncz. */
const named = {
  cluster: envoyTypeUrls.cluster,
  listener: envoyTypeUrls.listener,
  route: envoyTypeUrls.route,
  endpoint: envoyTypeUrls.endpoint,
  extensionconfig: envoyTypeUrls.extensionConfig,
};

function syncStatus(connection: ProxyConnection): object {
  const { clusterId, proxy, type, istioVersion, watches } = connection;
  const nonces = Object.entries(named).flatMap(([name, typeUrl]) => {
    const watch = watches.get(typeUrl);
    return [
      [`${name}_sent`, watch?.sent],
      [`${name}_acked`, watch?.acked],
    ];
  });
  const resources = [...watches].map(([typeUrl, { sent, acked, sentAt, error }]) => {
    const sentTime = sentAt?.toISOString() ?? never;
    return [typeUrl, { ...omitEmpty({ sent, acked }), sentTime, ...omitEmpty({ lastError: error }) }];
  });
  return omitEmpty({
    cluster_id: clusterId,
    proxy,
    proxy_type: type,
    istio_version: istioVersion,
    ...(Object.fromEntries(nonces) as object),
    resources: Object.fromEntries(resources) as object,
  });
}

const summary = ({ id, connectedAt, peer }: ProxyConnection): object => ({
  connectionId: id,
  connectedAt: connectedAt.toISOString(),
  address: peer,
});

function details(connection: ProxyConnection): object {
  const { labels, metadata, locality, watches } = connection;
  const { region, zone, subZone } = locality;
  return {
    ...summary(connection),
    ...omitEmpty({ labels, metadata }),
    locality: omitEmpty({ region, zone, sub_zone: subZone }),
    ...omitEmpty({
      watches: Object.fromEntries([...watches].map(([typeUrl, { names }]) => [typeUrl, names])),
    }),
  };
}

const listed = (clients: readonly object[]): object => ({
  totalClients: clients.length,
  ...omitEmpty({ clients }),
});

/** Who is connected, and what it was sent. */
export const connectionPages: readonly Page[] = [
  {
    name: "syncz",
    help: "What every proxy was sent and has acked; namespace=… for those of one namespace",
    answer: (request) => {
      const namespace = request.query.get("namespace") ?? "";
      const wanted = request.state.connections.filter(
        (connection) => namespace === "" || connection.namespace === namespace,
      );
      return json(wanted.map(syncStatus), request);
    },
  },
  {
    name: "adsz",
    help: "Every connection, what it said of itself, and what it watches; proxyID=… for one",
    answer: (request) => {
      if ((request.query.get("push") ?? "") === "") {
        return aboutProxies(request, (connections) => json(listed(connections.map(details)), request));
      }
      request.state.push();
      return text(200, `Pushed to ${request.state.connections.length} servers\n`);
    },
  },
  {
    name: "connections",
    help: "Every connection",
    answer: (request) => json(listed(request.state.connections.map(summary)), request),
  },
];

/** What changes something, for those who asked for it. */
export const adminPages: readonly Page[] = [
  {
    name: "force_disconnect",
    help: "Ends the connection of the proxy proxyID=…",
    answer: (request) =>
      aboutProxy(request, (connection) => {
        request.state.disconnect(connection);
        return text(200, "OK");
      }),
  },
];
