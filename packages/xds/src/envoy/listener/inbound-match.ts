import { MutualTls } from "@keelson/protos/proxy";
import { plainHttp } from "./chain-plan.ts";
import type { ListenerKind } from "./listener-merger.ts";

/** One of the ways in which a port of a workload is called. */
export interface InboundMatch {
  readonly applicationProtocols: readonly string[];
  readonly transportProtocol: "raw_buffer" | "tls";
  readonly speaks: "http" | "tcp";
  /** The proxy ends the TLS; otherwise it is the application's own. */
  readonly endsTls: boolean;
}

const meshHttp = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const meshBytes = ["istio-peer-exchange", "istio"];
const mesh = ["istio", "istio-peer-exchange", ...meshHttp];

const chain = (
  speaks: "http" | "tcp",
  transportProtocol: "raw_buffer" | "tls",
  applicationProtocols: readonly string[] = [],
  endsTls = false,
): InboundMatch => ({ applicationProtocols, transportProtocol, speaks, endsTls });

/**
 * Both mutual TLS of the mesh and clear text are taken (Istio's PERMISSIVE); the caller's sidecar marks its TLS by the
 * protocols it offers.
 */
const permissive = (kind: ListenerKind, http10: boolean): InboundMatch[] =>
  ({
    http: [chain("http", "tls", mesh, true), chain("http", "raw_buffer")],
    tcp: [chain("tcp", "tls", mesh, true), chain("tcp", "tls"), chain("tcp", "raw_buffer")],
    auto: [
      chain("http", "tls", meshHttp, true),
      chain("http", "raw_buffer", plainHttp(http10)),
      chain("tcp", "tls", meshBytes, true),
      chain("tcp", "raw_buffer"),
      chain("tcp", "tls"),
    ],
  })[kind];

/** A proxy without a certificate passes TLS on as it is. Without an inspector all bytes count as raw. */
const clear = (kind: ListenerKind, http10: boolean): InboundMatch[] =>
  ({
    http: [chain("http", "raw_buffer")],
    tcp: [chain("tcp", "raw_buffer")],
    auto: [chain("http", "raw_buffer", plainHttp(http10)), chain("tcp", "raw_buffer")],
  })[kind];

/** Nothing but mutual TLS of the mesh, whatever marks it. */
const strict = (kind: ListenerKind): InboundMatch[] =>
  ({
    http: [chain("http", "tls", [], true)],
    tcp: [chain("tcp", "tls", [], true)],
    auto: [chain("http", "tls", meshHttp, true), chain("tcp", "tls", [], true)],
  })[kind];

/** The ways in which a port is called under a mode of PeerAuthentication. Only a proxy with an agent takes both. */
export function inboundMatches(
  kind: ListenerKind,
  mode: MutualTls,
  { agent, http10 }: { readonly agent: boolean; readonly http10: boolean },
): InboundMatch[] {
  if (mode === MutualTls.STRICT) return strict(kind);
  return mode === MutualTls.DISABLE || !agent ? clear(kind, http10) : permissive(kind, http10);
}

/** For a Sidecar's ingress listener that has a certificate of its own. */
export const ownTlsMatches = (kind: ListenerKind): InboundMatch[] => [
  chain(kind === "tcp" ? "tcp" : "http", "tls", [], true),
];
