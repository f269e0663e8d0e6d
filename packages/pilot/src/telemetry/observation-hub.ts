import { create } from "@bufbuild/protobuf";
import type { WantedRequests } from "@keelson/model/observation";
import { type Observation, ObservationSchema, type ObservedRequest } from "@keelson/protos/telemetry";

/** A node that can be asked for its requests. */
export interface ObservedNode {
  /** Says which are wanted, in place of those before. */
  want(observations: readonly Observation[]): void;
}

/** Who wants to see requests. */
export interface Observer {
  /** @param lost further ones that should be here */
  onRequests(node: string, requests: readonly ObservedRequest[], lost: number): void;
  /** The node tells no more. */
  onEnded(node: string, why: string): void;
}

/** What becomes of a node that has joined. */
export interface JoinedNode {
  /** It has told of requests. @param observation an id */
  take(observation: number, requests: readonly ObservedRequest[], lost: number): void;
  /** It is gone. */
  end(why: string): void;
}

interface Line {
  readonly node: ObservedNode;
  readonly observations: Map<number, { readonly message: Observation; readonly observer: Observer }>;
}

export interface HubLimits {
  readonly nodes: number;
  /** Of one node at a time. */
  readonly observations: number;
}

const defaultLimits: HubLimits = { nodes: 5_000, observations: 32 };

/** Brings together nodes that can tell of their requests, and those who want to see some. */
export class ObservationHub {
  private readonly limits: HubLimits;
  private readonly lines = new Map<string, Line>();
  private nextId = 1;

  constructor(limits: HubLimits = defaultLimits) {
    this.limits = limits;
  }

  /**
   * A node is there. One that comes a second time takes the place of the first.
   * @throws RangeError if there are too many
   */
  join(name: string, node: ObservedNode): JoinedNode {
    if (!this.lines.has(name) && this.lines.size >= this.limits.nodes) {
      throw new RangeError(`node ${name}: ${this.limits.nodes} other nodes are there already`);
    }
    this.end(name, "it connected anew");
    const line: Line = { node, observations: new Map() };
    this.lines.set(name, line);
    return {
      take: (id, requests, lost) => line.observations.get(id)?.observer.onRequests(name, requests, lost),
      end: (why) => {
        if (this.lines.get(name) === line) this.end(name, why);
      },
    };
  }

  /** Names of the nodes that are there, sorted. */
  nodes(): string[] {
    return [...this.lines.keys()].sort();
  }

  /**
   * @param nodes names of some that are there
   * @returns ends it
   * @throws RangeError if one is not there, or is observed by too many
   */
  observe(nodes: readonly string[], wanted: WantedRequests, observer: Observer): () => void {
    const lines = nodes.map((name) => this.lineOf(name));
    const id = this.nextId++;
    const message = create(ObservationSchema, { ...wanted, id });
    for (const line of lines) {
      line.observations.set(id, { message, observer });
      tell(line);
    }
    return () => {
      // One that is gone has none any more.
      for (const line of lines) if (line.observations.delete(id)) tell(line);
    };
  }

  private lineOf(name: string): Line {
    const line = this.lines.get(name);
    if (line === undefined) throw new RangeError(`node ${name} is not connected to this control plane`);
    if (line.observations.size >= this.limits.observations) {
      throw new RangeError(
        `node ${name} is observed by ${line.observations.size} others, which is all it may be`,
      );
    }
    return line;
  }

  private end(name: string, why: string): void {
    const line = this.lines.get(name);
    if (line === undefined) return;
    this.lines.delete(name);
    for (const { observer } of line.observations.values()) observer.onEnded(name, why);
    line.observations.clear();
  }
}

const tell = ({ node, observations }: Line): void =>
  node.want([...observations.values()].map(({ message }) => message));
