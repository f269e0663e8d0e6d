import { ApplicationProtocol as Protocol } from "@keelson/protos/policy";
import type { ProxyNode } from "../../envoy/proxy-node.ts";
import { Standings } from "../../envoy/state/standings.ts";
import { anEndpointSet, anIr, aService, type IrParts } from "../../envoy/testing/builders.ts";
import { Decoded } from "../../envoy/testing/decoded.ts";
import { aProxy, type ProxyInit } from "../../envoy/testing/proxies.ts";
import { GrpcGenerator } from "../generator.ts";

export const echo = "echo.default.svc.cluster.local";

/** Two versions of a service that speaks gRPC on 7070, one pod each at 10.244.1.1 and 10.244.1.2. */
export const echoMesh: IrParts = {
  services: [aService("echo", { ports: [{ port: 7070, name: "grpc", applicationProtocol: Protocol.GRPC }] })],
  endpointSets: [
    anEndpointSet(`outbound|7070||${echo}`, [
      { address: "10.244.1.1", port: 17070 },
      { address: "10.244.1.2", port: 17070 },
    ]),
    anEndpointSet(`outbound|7070|version=v1|${echo}`, [{ address: "10.244.1.1", port: 17070 }]),
    anEndpointSet(`outbound|7070|version=v2|${echo}`, [{ address: "10.244.1.2", port: 17070 }]),
  ],
};

/** A process of the pod default/client on gRPC. */
export const aProcess = ({ metadata, ...init }: ProxyInit = {}): ProxyNode =>
  aProxy({ ...init, metadata: { GENERATOR: "grpc", ...metadata } });

/** What it gets from a mesh. */
export const decoded = (mesh: IrParts = echoMesh, node = aProcess()): Decoded =>
  new Decoded(new GrpcGenerator(new Standings()).view(anIr(mesh), node));
