import { originKey, originValue } from "@keelson/bpf";
import { BpfMap } from "bpf-maps-native";

/** A connection as the relay sees it when it accepts. */
export interface AcceptedConnection {
  /** Cookie of the network namespace. */
  readonly network: bigint;
  /** The caller's own. */
  readonly port: number;
  readonly family: 4 | 6;
}

/** Whose connection it is, and what it dialled; identifiers as in the maps. */
export interface Origin {
  readonly workload: bigint;
  readonly service: bigint;
  /** Of the caller's socket. */
  readonly cookie: bigint;
}

/** Finds out whose connection was accepted; each is asked about once. */
export interface OriginLookup {
  take(connection: AcceptedConnection): Origin | undefined;
}

/** What programs wrote when the connection was made: the pinned map `origins`. */
export class PinnedOrigins implements OriginLookup {
  private readonly map: BpfMap;

  /** @param path of its pin */
  constructor(path: string) {
    this.map = BpfMap.openPinned(path);
  }

  take({ network, port, family }: AcceptedConnection): Origin | undefined {
    const value = this.map.lookupAndDelete(originKey.encode({ network, port, family }));
    return value === undefined ? undefined : originValue.decode(value);
  }
}
