import type { Service } from "@keelson/protos/policy";
import {
  CaptureMode,
  type Gateway,
  OutboundPolicy,
  type SidecarScope,
  ServerTls_Mode as TlsMode,
} from "@keelson/protos/proxy";
import { aGateway, aSidecarScope } from "../builders.ts";
import type { RandomSource } from "./source.ts";
import { namespaces, versions } from "./world.ts";

/** Servers on ports that nothing else of a test listens on. */
export function randomGateways(random: RandomSource, tls: boolean): Gateway[] {
  return random.times(0, 3, (i) =>
    aGateway(`${random.pick(namespaces)}/gateway-${i}`, {
      selector: random.chance(0.5) ? { version: random.pick(versions) } : {},
      servers: random.times(1, 4, (server) => {
        const hosts = [
          random.pick([
            "*/*",
            "*/*.example.com",
            "*/a.example.com",
            `${random.pick(namespaces)}/b.example.org`,
          ]),
        ];
        const modes = [
          TlsMode.SIMPLE,
          TlsMode.MUTUAL,
          TlsMode.PASSTHROUGH,
          TlsMode.AUTO_PASSTHROUGH,
          TlsMode.ISTIO_MUTUAL,
          TlsMode.OPTIONAL_MUTUAL,
        ];
        const kind = random.next();
        if (kind < 0.4) {
          const httpsRedirect = random.chance(0.3);
          return {
            port: random.pick([18_080, 18_081]),
            portName: "http",
            protocol: "HTTP",
            hosts,
            tls: { httpsRedirect },
          };
        }
        if (kind < 0.6) return { port: 19_000 + server, portName: "tcp", protocol: "TCP", hosts };
        const mode = tls ? random.pick(modes) : TlsMode.PASSTHROUGH;
        return {
          port: random.pick([18_443, 18_444]),
          portName: `https-${server}`,
          protocol: random.pick(["HTTPS", "TLS"]),
          hosts,
          tls: {
            mode,
            credentialNames: random.pick([[], ["credential"], ["credential", "kubernetes://credential-2"]]),
            serverCertificate: "/etc/certs/cert.pem",
            privateKey: "/etc/certs/key.pem",
            caCertificates: "/etc/certs/ca.pem",
            minProtocolVersion: random.pick(["", "TLSV1_2"]),
          },
        };
      }),
    }),
  );
}

export function randomSidecarScopes(random: RandomSource, services: readonly Service[]): SidecarScope[] {
  return random.some([...namespaces, "istio-system"], 0.3).map((namespace) => {
    const named = random.some(services, 0.4).map(({ hostname }) => `*/${hostname}`);
    const catchAll = {
      hosts: random.pick([["*/*"], ["./*"], ["default/*", ...named], [...named, "~shop/*"], ["~/*"]]),
    };
    const own = random.maybe(0.3, () => ({
      port: random.pick([80, 9080]),
      portName: "own",
      protocol: random.pick(["HTTP", "TCP", "HTTPS"]),
      bind: random.pick(["", "127.0.0.1"]),
      captureMode: random.pick([CaptureMode.UNSPECIFIED, CaptureMode.NONE]),
      hosts: ["*/*"],
    }));
    const ingress = random.maybe(0.3, () => ({
      port: 8000,
      portName: "in",
      protocol: random.pick(["HTTP", "TCP", "GRPC"]),
      defaultEndpoint: random.pick(["", "127.0.0.1:8000", "0.0.0.0:8000", "unix:///tmp/in.sock"]),
      captureMode: random.pick([CaptureMode.UNSPECIFIED, CaptureMode.NONE]),
      connectionPool: { maxConnections: 3 },
    }));
    return aSidecarScope(`${namespace}/scope`, {
      workloadLabels: random.chance(0.3) ? { version: random.pick(versions) } : {},
      egress: own === undefined ? [catchAll] : [own, catchAll],
      ...(ingress && { ingress: [ingress] }),
      outboundPolicy: random.pick([
        OutboundPolicy.UNSPECIFIED,
        OutboundPolicy.REGISTRY_ONLY,
        OutboundPolicy.ALLOW_ANY,
      ]),
    });
  });
}
