import type { ApplicationProtocol, Transport } from "@keelson/model";

/** The cheapest place that keeps a rule's meaning; see ARCHITECTURE.md, "Tiers". */
export type TierName = "connect" | "kernel" | "relay";

/** What became of a rule, or of one route of it, on one port. */
export interface RuleExplanation {
  /** "RouteRule default/reviews-default" */
  readonly rule: string;
  /** Where in the rule's object the route stands, such as "spec.http[0]". */
  readonly field?: string;
  /** As written in a RouteRule; 0 for all other kinds. */
  readonly precedence: number;
  readonly state: "applies" | "partly applies" | "not applied" | "shadowed";
  /** One sentence, empty if the rule simply applies. */
  readonly why: string;
  /** Of a route that is asked for each request, or for more of a connection than its port. */
  readonly carried?: CarriedRoute;
}

/** What a tier does by a route that a decision per connection cannot do. */
export interface CarriedRoute {
  /** "kernel" on a node whose agent switches requests, else the relay. */
  readonly tier: "kernel" | "relay";
  /** Why the route is the relay's on a port that programs look at, such as "it sets a timeout". */
  readonly relayedBecause?: string;
  /** What the route wants of it, such as "looks at header end-user"; empty: it stands beside routes that want something. */
  readonly why: string;
  /** Empty where the route answers requests itself. */
  readonly destinations: readonly DestinationExplanation[];
}

export interface DestinationExplanation {
  readonly hostname: string;
  /** Name of the subset that the rule asks for; empty if it asks for none. */
  readonly subset?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly weight: number;
  /** Of the port's connections, or of the route's requests, 0 to 1. */
  readonly share: number;
  readonly endpoints: readonly EndpointExplanation[];
  /** Set where the share is refused: why no endpoint is to be had. */
  readonly warning?: string;
}

export interface EndpointExplanation {
  /** "10.0.0.1:9080"; "db.example.com:3306" where a name has to be looked up. */
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
  /** How programs match requests, or why they do not; absent where nothing is asked of requests. */
  readonly matching?: string;
  /** In the order in which they are asked. */
  readonly rules: readonly RuleExplanation[];
  /** DestinationRules and DestinationPolicies that name the host. */
  readonly policies?: readonly RuleExplanation[];
  /** Where connections go that are decided once: all, or those of a node without a relay. */
  readonly destinations: readonly DestinationExplanation[];
}

/** How the compiler came to what a service's callers get. */
export interface ServiceExplanation {
  readonly hostname: string;
  readonly namespace: string;
  /** As text. */
  readonly addresses: readonly string[];
  /** Why nodes leave connections to the service as they are; absent if they decide them. */
  readonly leftAlone?: string;
  readonly ports: readonly PortExplanation[];
}
