import type { PolicyIr } from "@keelson/protos";
import { ApplicationProtocol } from "@keelson/protos/policy";
import { CaptureMode } from "@keelson/protos/proxy";
import { anIr, aService, aSidecarScope, randomIr } from "@keelson/xds/envoy/testing";

/** What Envoys are fed, one after the other. */
export interface Mesh {
  readonly title: string;
  readonly ir: PolicyIr;
}

/** Every second one demands certificates. @param seed of the first; the others follow it */
export function* generatedMeshes(seed: number, count: number): Generator<Mesh> {
  for (let i = 0; i < count; i += 1) {
    const own = (seed + i) >>> 0;
    const tls = i % 2 === 1;
    yield { title: `the mesh of seed ${own}${tls ? " with TLS" : ""}`, ir: randomIr(own, { tls }) };
  }
}

/** A Sidecar's listener that has a socket or not, at one address and port. */
const withListener = (captureMode: CaptureMode, ...names: string[]): PolicyIr =>
  anIr({
    services: names.map((name) =>
      aService(name, { ports: [{ port: 80, applicationProtocol: ApplicationProtocol.TLS }] }),
    ),
    sidecarScopes: [
      aSidecarScope("default/scope", {
        egress: [{ port: 80, protocol: "TLS", bind: "127.0.0.1", captureMode, hosts: ["*/*"] }],
      }),
    ],
  });

/** Meshes of which each step to the next was once too much for an Envoy. */
export const hardMeshes: readonly Mesh[] = [
  { title: "a listener without a socket", ir: withListener(CaptureMode.IPTABLES, "a") },
  { title: "a listener that has got a socket", ir: withListener(CaptureMode.NONE, "a", "b") },
  { title: "a listener that has lost its socket", ir: withListener(CaptureMode.IPTABLES, "a") },
];
