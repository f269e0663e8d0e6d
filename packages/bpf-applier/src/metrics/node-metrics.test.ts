import { create } from "@bufbuild/protobuf";
import { statistics as names } from "@keelson/bpf";
import { EdgeSchema } from "@keelson/protos/telemetry";
import { expect, test } from "vitest";
import type { Statistics } from "../edge-reader.ts";
import { bucketOf } from "../relay/process/latency-buckets.ts";
import { nodeMetrics } from "./node-metrics.ts";

const statistics = Object.fromEntries(names.map((name, i) => [name, BigInt(i)])) as Statistics;

const edge = create(EdgeSchema, {
  source: "shop/web-1",
  service: "reviews.shop.svc.cluster.local",
  port: 9080,
  endpoint: "10.0.0.1:9080",
  workload: "shop/reviews-v1",
  connections: 4n,
  answered: [
    {
      route: 'say "hi"\\',
      statusClass: 2,
      requests: 4n,
      sentBytes: 10n,
      receivedBytes: 1n << 60n,
      latency: [bucketOf(400), 1, bucketOf(510), 2, bucketOf(3_600_000_000), 1].map(BigInt),
      latencySumUs: 3_600_001_420n,
    },
    { statusClass: 5, requests: 1n, latency: [BigInt(bucketOf(0)), 1n] },
  ],
});

const labels =
  'reporter="source",source_workload_namespace="shop",source_pod="web-1",' +
  'destination_service="reviews.shop.svc.cluster.local",destination_service_name="reviews",' +
  'destination_service_namespace="shop",destination_port="9080",destination_workload_namespace="shop",' +
  'destination_pod="reviews-v1"';
const answered = `${labels},route="say \\"hi\\"\\\\",response_code="2xx"`;

const linesOf = (text: string, name: string): string[] =>
  text.split("\n").filter((line) => line.startsWith(name));

test("requests, their durations and bytes, by caller, endpoint, route and status", () => {
  const text = nodeMetrics([edge], statistics);
  expect(linesOf(text, "istio_requests_total")).toEqual([
    `istio_requests_total{${answered}} 4`,
    `istio_requests_total{${labels},route="",response_code="5xx"} 1`,
  ]);
  const name = "istio_request_duration_milliseconds";
  const bucket = (le: string, value: number): string => `${name}_bucket{${answered},le="${le}"} ${value}`;
  const lines = linesOf(text, name);
  for (const line of [bucket("0.5", 1), bucket("1", 3), bucket("1800000", 3), bucket("+Inf", 4)]) {
    expect(lines).toContain(line);
  }
  expect(lines).toContain(`${name}_sum{${answered}} 3600001`);
  expect(lines).toContain(`${name}_count{${answered}} 4`);
  expect(linesOf(text, "keelson_response_bytes_total")[0]).toBe(
    `keelson_response_bytes_total{${answered}} ${1n << 60n}`,
  );
  expect(linesOf(text, "istio_tcp_connections_opened_total")).toEqual([
    `istio_tcp_connections_opened_total{${labels}} 4`,
  ]);
  expect(text).not.toContain("keelson_datagrams_total");
  expect(text).toContain('keelson_node_events_total{event="left_alone"} 1\n');
});

test("no sample stands there twice, and each family is said once", () => {
  const text = nodeMetrics([edge, edge], statistics);
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const keys = samples.map((line) => line.slice(0, line.lastIndexOf(" ")));
  expect(new Set(keys).size).toBe(keys.length);
  expect(linesOf(text, "istio_requests_total")[0]).toMatch(/ 8$/);
  const types = linesOf(text, "# TYPE");
  expect(new Set(types).size).toBe(types.length);
});

test("who is not known, and services beyond Kubernetes", () => {
  const text = nodeMetrics([create(EdgeSchema, { service: "api.example.com", refused: 2n })], statistics);
  const [line = ""] = linesOf(text, "keelson_refused_total");
  expect(line).toContain('source_pod="unknown"');
  expect(line).toContain('destination_service_name="api.example.com",destination_service_namespace=""');
});
