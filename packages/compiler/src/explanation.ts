import type { ApplicationProtocol, Transport } from "@keelson/model";

/** The cheapest place that keeps a rule's meaning; see ARCHITECTURE.md, "Tiers". */
export type TierName = "connect" | "kernel" | "relay";

/** What became of a rule on one port. */
export interface RuleExplanation {
  /** "RouteRule default/reviews-default" */
  readonly rule: string;
  readonly precedence: number;
  readonly state: "applies" | "partly applies" | "not applied" | "shadowed";
  /** One sentence, empty if the rule simply applies. */
  readonly why: string;
}

export interface DestinationExplanation {
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly weight: number;
  /** Of the port's connections, 0 to 1. */
  readonly share: number;
  readonly endpoints: readonly EndpointExplanation[];
  /** Set where the share is refused: why no endpoint is to be had. */
  readonly warning?: string;
}

export interface EndpointExplanation {
  /** "10.0.0.1:9080" */
  readonly address: string;
  readonly workload: string;
}

export interface PortExplanation {
  readonly port: number;
  readonly name: string;
  readonly transport: Transport;
  readonly protocol: ApplicationProtocol;
  /** Where the rules' meaning would be kept to the letter. */
  readonly wantedTier: TierName;
  /** Where the port is decided today. */
  readonly tier: TierName;
  readonly why: string;
  /** In the order in which they are asked. */
  readonly rules: readonly RuleExplanation[];
  readonly destinations: readonly DestinationExplanation[];
}

/** How the compiler came to what a service's callers get. */
export interface ServiceExplanation {
  readonly hostname: string;
  readonly namespace: string;
  /** As text. */
  readonly addresses: readonly string[];
  readonly ports: readonly PortExplanation[];
}
