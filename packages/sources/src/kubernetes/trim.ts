import { type Fields, fieldsOf, listOf, only } from "./fields.ts";

// Pods and EndpointSlices are many and change often, mostly in what nobody reads.

/** @param pod without metadata */
export function trimPod(pod: Fields): Fields {
  const spec = fieldsOf(pod["spec"]);
  const status = fieldsOf(pod["status"]);
  const [first, ...others] = listOf(status["podIPs"]);
  return {
    spec: {
      ...only(spec, "nodeName", "serviceAccountName", "hostNetwork"),
      containers: listOf(spec["containers"]).filter(isProbed).map(trimContainer),
    },
    status: {
      ...only(status, "phase"),
      // Most pods have one, which needs no list.
      ...(others.length > 0
        ? only(status, "podIPs")
        : only({ podIP: first?.["ip"] ?? status["podIP"] }, "podIP")),
      conditions: listOf(status["conditions"])
        .filter(({ type }) => type === "Ready")
        .map((condition) => only(condition, "type", "status")),
    },
  };
}

const probes = ["livenessProbe", "readinessProbe"] as const;

const isProbed = (container: Fields): boolean => probes.some((probe) => container[probe] !== undefined);

const trimContainer = (container: Fields): Fields => ({
  ports: listOf(container["ports"]).map((port) => only(port, "name", "containerPort")),
  ...Object.fromEntries(
    probes.map((probe) => {
      const { httpGet, tcpSocket } = fieldsOf(container[probe]);
      return [probe, { ...portOf("httpGet", httpGet), ...portOf("tcpSocket", tcpSocket) }];
    }),
  ),
});

const portOf = (way: string, action: unknown): Fields =>
  action === undefined || action === null ? {} : { [way]: only(fieldsOf(action), "port") };

/** @param slice without metadata */
export function trimSlice(slice: Fields): Fields {
  return {
    addressType: slice["addressType"],
    endpoints: listOf(slice["endpoints"]).map((endpoint) => ({
      addresses: endpoint["addresses"],
      ...(endpoint["conditions"]
        ? { conditions: only(fieldsOf(endpoint["conditions"]), "ready", "serving", "terminating") }
        : {}),
      ...(endpoint["targetRef"]
        ? { targetRef: only(fieldsOf(endpoint["targetRef"]), "kind", "name", "namespace") }
        : {}),
    })),
    ports: listOf(slice["ports"]).map((port) => only(port, "name", "port", "protocol")),
  };
}
