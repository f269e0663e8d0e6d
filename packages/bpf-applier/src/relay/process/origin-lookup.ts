import { originKey, originValue } from "@keelson/bpf";
import { mapAddress, parseAddress } from "@keelson/model/address";
import { BpfMap } from "bpf-maps-native";

/** A connection as the relay sees it when it accepts. */
export interface AcceptedConnection {
  /** Cookie of the network namespace. */
  readonly network: bigint;
  /** The caller's own, as in packets. */
  readonly address: string;
  readonly port: number;
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

  take({ network, address, port }: AcceptedConnection): Origin | undefined {
    const [bare = ""] = address.split("%"); // the zone of a link-local one
    const bytes = parseAddress(bare);
    if (bytes === undefined) return undefined;
    const value = this.map.lookupAndDelete(originKey.encode({ network, address: mapAddress(bytes), port }));
    return value === undefined ? undefined : originValue.decode(value);
  }
}
