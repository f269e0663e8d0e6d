import type { KubernetesObject } from "../world/objects.ts";
import type { NodeInit, Variant } from "./peer/messages.ts";
import type { Peer } from "./peer/peer.ts";
import type { RuleId } from "./rules.ts";
import type { CaseWorld } from "./world/case-world.ts";

/** Names of what a server has for a node whose configuration does not change. */
export interface Stock {
  /** Clusters that get their endpoints by EDS. */
  readonly clusters: readonly string[];
  readonly listeners: readonly string[];
}

export interface ConnectOptions {
  /** Other fields of the node; undefined: the first request has no node. */
  readonly node?: NodeInit | undefined;
  /** How the stream speaks; as the case is run if left out. */
  readonly variant?: Variant;
  /** How long a response is waited for; as in other cases if left out. */
  readonly patienceMs?: number;
  /** A peer that is gone, and whose resources the new one has. */
  readonly resumes?: Peer;
}

interface Scene {
  readonly variant: Variant;
  /** host:port */
  readonly address: string;
  /** Of the peers that connect() makes. */
  readonly node: NodeInit;
  /** Opens a stream, which is closed after the case. */
  readonly connect: (options?: ConnectOptions) => Peer;
}

/** Where a case takes place that leaves the configuration as it is. */
export interface StillScene extends Scene {
  readonly stock: Stock;
}

/** Where a case takes place that changes the configuration: a namespace of its own, which nothing else is seen from. */
export interface ChangingScene extends Scene {
  readonly world: CaseWorld;
  /** Makes these all the objects of the case's namespace. */
  readonly change: (...objects: readonly KubernetesObject[]) => Promise<void>;
}

interface CaseBase {
  /** Kebab case; no other case has it. */
  readonly name: string;
  /** What it stands for. */
  readonly rules: readonly RuleId[];
  readonly variants: readonly Variant[];
  /** What a server does that passes it, in one sentence. */
  readonly what: string;
  /** It would disturb others, or be disturbed. */
  readonly alone?: boolean;
  /** It takes more than 10 s by its nature. */
  readonly slow?: boolean;
}

export interface StillCase extends CaseBase {
  readonly run: (scene: StillScene) => Promise<void>;
}

export interface ChangingCase extends CaseBase {
  /** What there is before the case begins. */
  readonly begin: (world: CaseWorld) => readonly KubernetesObject[];
  readonly run: (scene: ChangingScene) => Promise<void>;
}

/** One thing that a server must do. run() throws Nonconformity if it does not. */
export type ConformanceCase = StillCase | ChangingCase;

/** Says which kind a case is, so that its scene has a type. */
export const still = (each: StillCase): ConformanceCase => each;
export const changing = (each: ChangingCase): ConformanceCase => each;

export const isChanging = (each: ConformanceCase): each is ChangingCase => "begin" in each;

/** A case that cannot be run here, such as for want of resources; not the server's fault. */
export class NotPossible extends Error {}
