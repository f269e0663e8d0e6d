import type { AnsweredRequests, Edge } from "@keelson/protos/telemetry";
import type { Statistics } from "../edge-reader.ts";
import { bucketEnd } from "../relay/process/latency-buckets.ts";
import { Exposition, type Labels, type Sample } from "./exposition.ts";

/**
 * Upper ends of a duration's buckets, in milliseconds: those of Istio's proxies. A time that was counted in a bucket with one of
 * these inside, which is an eighth wide at most, is put into the next one: a sample under a bound is never too many.
 */
const durationBounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000,
  1_800_000,
];

/**
 * A node's counters as Prometheus reads them. Names and labels are those of Istio's proxies, as the caller's proxy reports them, as
 * far as they are known here: pods stand where these name what pods were made by, and a status is known by its first digit.
 */
export function nodeMetrics(edges: readonly Edge[], statistics: Statistics): string {
  const text = new Exposition();
  addRequests(text, edges);
  addConnections(text, edges);
  text.add(
    { name: "keelson_node_events_total", type: "counter", help: "What programs counted of the whole node." },
    Object.entries(statistics).map(([event, value]) => ({ labels: { event }, value })),
  );
  return text.text();
}

function addRequests(text: Exposition, edges: readonly Edge[]): void {
  const answered = edges.flatMap((edge) =>
    edge.answered.map((requests) => ({ requests, labels: answerLabels(edge, requests) })),
  );
  text.add(
    { name: "istio_requests_total", type: "counter", help: "Requests that were answered." },
    answered.map(({ labels, requests: { requests: value } }) => ({ labels, value })),
  );
  text.add(
    {
      name: "istio_request_duration_milliseconds",
      type: "histogram",
      help: "Time from a request's head to the end of its answer.",
    },
    answered.flatMap(({ labels, requests }) => durationSamples(labels, requests)),
  );
  const bytes = (name: string, help: string, of: (requests: AnsweredRequests) => bigint): void =>
    text.add(
      { name, type: "counter", help },
      answered.map(({ labels, requests }) => ({ labels, value: of(requests) })),
    );
  bytes("keelson_request_bytes_total", "Bytes of requests' bodies.", (requests) => requests.sentBytes);
  bytes("keelson_response_bytes_total", "Bytes of answers' bodies.", (requests) => requests.receivedBytes);
}

function durationSamples(labels: Labels, { latency, latencySumUs, requests }: AnsweredRequests): Sample[] {
  const buckets = durationBounds.map((bound) => ({
    suffix: "_bucket",
    labels: { ...labels, le: bound.toString() },
    value: countBelow(latency, bound * 1000),
  }));
  return [
    ...buckets,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: requests },
    { suffix: "_sum", labels, value: latencySumUs / 1000n },
    { suffix: "_count", labels, value: requests },
  ];
}

/** @param latency bucket, requests, bucket, requests, … */
function countBelow(latency: readonly bigint[], microseconds: number): bigint {
  let count = 0n;
  for (let at = 0; at < latency.length; at += 2) {
    if (bucketEnd(Number(latency[at])) <= microseconds) count += latency[at + 1] ?? 0n;
  }
  return count;
}

function addConnections(text: Exposition, edges: readonly Edge[]): void {
  const counters = [
    ["istio_tcp_connections_opened_total", "Connections that were sent to the endpoint.", "connections"],
    ["keelson_datagrams_total", "Datagrams that were sent to the endpoint.", "datagrams"],
    [
      "keelson_refused_total",
      "Connections and datagrams that were refused for want of an endpoint.",
      "refused",
    ],
    ["keelson_sent_requests_total", "Requests that programs saw callers send.", "sentRequests"],
    ["keelson_sent_request_bytes_total", "Bytes of these requests.", "sentRequestBytes"],
  ] as const;
  for (const [name, help, field] of counters) {
    const counted = edges.filter((edge) => edge[field] > 0n);
    text.add(
      { name, type: "counter", help },
      counted.map((edge) => ({ labels: edgeLabels(edge), value: edge[field] })),
    );
  }
}

const answerLabels = (edge: Edge, { route, statusClass }: AnsweredRequests): Labels => ({
  ...edgeLabels(edge),
  route,
  response_code: `${statusClass}xx`,
});

function edgeLabels({ source, workload, service, port }: Edge): Labels {
  const [sourceNamespace, sourcePod] = podOf(source);
  const [namespace, pod] = podOf(workload);
  const [name = "", serviceNamespace = "", svc] = service.split(".");
  const isKubernetes = svc === "svc";
  return {
    reporter: "source",
    source_workload_namespace: sourceNamespace,
    source_pod: sourcePod,
    destination_service: service,
    destination_service_name: isKubernetes ? name : service,
    destination_service_namespace: isKubernetes ? serviceNamespace : "",
    destination_port: port.toString(),
    destination_workload_namespace: namespace,
    destination_pod: pod,
  };
}

/** Istio's word for what it does not know is "unknown". @param workload "namespace/pod", or empty */
function podOf(workload: string): [namespace: string, pod: string] {
  const [namespace = "", pod = ""] = workload.split("/");
  return pod === "" ? ["unknown", "unknown"] : [namespace, pod];
}
