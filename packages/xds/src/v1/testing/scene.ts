import { ApplicationProtocol } from "@keelson/protos/policy";
import type { HttpRouteSchema } from "@keelson/protos/route";
import {
  address,
  anEndpointSet,
  aRouteTable,
  aService,
  aWorkload,
  type IrParts,
} from "../../envoy/testing/builders.ts";
import type { Init } from "../../envoy/wire.ts";

export const reviews = "reviews.default.svc.cluster.local";

export const httpPort = { port: 80, name: "http", applicationProtocol: ApplicationProtocol.HTTP };
export const tcpPort = { port: 90, name: "tcp", applicationProtocol: ApplicationProtocol.TCP };

/** Services reviews (v1 at 10.1.0.1, v2 at 10.1.0.2) and callers (at 10.2.0.1, labelled app=caller), both on port 80. */
export const scene: Required<Pick<IrParts, "services" | "endpointSets" | "workloads">> = {
  services: [
    aService("reviews", { addresses: ["10.96.0.1"], ports: [httpPort] }),
    aService("callers", { addresses: ["10.96.0.2"], ports: [httpPort] }),
  ],
  endpointSets: [
    anEndpointSet(`outbound|80||${reviews}`, [
      { address: "10.1.0.1", workload: "default/reviews-v1", locality: "region/zone/sub" },
      { address: "10.1.0.2", workload: "default/reviews-v2" },
    ]),
    anEndpointSet("outbound|80||callers.default.svc.cluster.local", [
      { address: "10.2.0.1", workload: "default/caller" },
    ]),
  ],
  workloads: [
    aWorkload("default/reviews-v1", {
      addresses: [address("10.1.0.1")],
      labels: [
        { key: "app", value: "reviews" },
        { key: "version", value: "v1" },
      ],
      probePorts: [8080, 9000],
    }),
    aWorkload("default/reviews-v2", {
      addresses: [address("10.1.0.2")],
      labels: [{ key: "version", value: "v2" }],
    }),
    aWorkload("default/caller", {
      addresses: [address("10.2.0.1")],
      labels: [{ key: "app", value: "caller" }],
    }),
  ],
};

/** The scene with RouteRules for reviews. */
export const withRules = (...http: Init<typeof HttpRouteSchema>[]): IrParts => ({
  ...scene,
  routeTables: [
    aRouteTable(`RouteRule/${reviews}`, {
      hosts: [reviews],
      namespace: "default",
      http: http.map((route) => ({ rule: "RouteRule default/rule", ...route })),
    }),
  ],
});
