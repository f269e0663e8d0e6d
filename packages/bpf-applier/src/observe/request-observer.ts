import { create } from "@bufbuild/protobuf";
import { isWanted, type WantedRequests } from "@keelson/model/observation";
import { Carrier, type ObservedRequest, ObservedRequestSchema } from "@keelson/protos/telemetry";
import type { EdgeNames } from "../edge-names.ts";
import type { RelayRequest } from "../relay/relay.ts";
import type { RelayKeeper } from "../relay/relay-keeper.ts";
import { KernelRecords, type RecordMaps, type RequestRecord } from "./kernel-records.ts";

/** @param lost further ones that should be here, but came faster than they were read */
export type RequestSink = (requests: readonly ObservedRequest[], lost: number) => void;

export interface RequestObserverOptions {
  readonly names: EdgeNames;
  /** Undefined: no program of the node looks at requests. */
  readonly maps?: RecordMaps;
  readonly relay?: Pick<RelayKeeper, "observe">;
  readonly onError: (error: Error) => void;
  readonly random?: () => number;
}

interface Subscription {
  readonly wanted: WantedRequests;
  readonly sink: RequestSink;
}

/** Shows single requests of the node, of programs and of the relay, to all who want to see some. While nobody does, nothing runs. */
export class RequestObserver {
  private readonly options: RequestObserverOptions;
  private readonly random: () => number;
  private readonly kernel: KernelRecords | undefined;
  private readonly subscriptions = new Set<Subscription>();
  /** The share that programs and relay tell of: that of who wants most. */
  private every = 0;

  constructor(options: RequestObserverOptions) {
    this.options = options;
    this.random = options.random ?? Math.random;
    const { maps, names } = options;
    this.kernel =
      maps &&
      new KernelRecords(maps, (records, lost) =>
        this.tell(
          records.map((record) => ofProgram(record, names)),
          lost,
        ),
      );
  }

  /** @returns ends it */
  observe(wanted: WantedRequests, sink: RequestSink): () => void {
    const subscription = { wanted, sink };
    this.subscriptions.add(subscription);
    this.adjust();
    return () => {
      this.subscriptions.delete(subscription);
      this.adjust();
    };
  }

  close(): void {
    this.subscriptions.clear();
    this.adjust();
  }

  private adjust(): void {
    const shares = [...this.subscriptions].map(({ wanted }) => wanted.every);
    const every = shares.length === 0 ? 0 : Math.min(...shares);
    if (every === this.every) return;
    this.every = every;
    const { relay, names, onError } = this.options;
    this.kernel?.open(every);
    const onRequests = ({ requests, lost }: { requests: readonly RelayRequest[]; lost: number }): void =>
      this.tell(
        requests.map((request) => ofRelay(request, names)),
        lost,
      );
    relay?.observe(every === 0 ? undefined : { every, onRequests }).catch(onError);
  }

  /** A share that is smaller than what is told is drawn here. */
  private tell(requests: readonly ObservedRequest[], lost: number): void {
    for (const { wanted, sink } of this.subscriptions) {
      const share = this.every / wanted.every;
      const own = requests.filter(
        (request) => isWanted(wanted, request) && (share === 1 || this.random() < share),
      );
      if (own.length > 0 || lost > 0) sink(own, lost);
    }
  }
}

function ofProgram(record: RequestRecord, names: EdgeNames): ObservedRequest {
  const { labels: _, ...ends } = names.ofPrograms(record);
  const wasAnswered = record.status !== 0;
  return create(ObservedRequestSchema, {
    ...ends,
    seenAtUs: wallClockUs(record.seen),
    route: names.route(record.route),
    status: record.status,
    durationUs: record.nanoseconds / 1000n,
    sentBytes: wasAnswered ? 0n : record.bytes,
    receivedBytes: wasAnswered ? record.bytes : 0n,
    carrier: wasAnswered ? Carrier.SWITCHED : Carrier.NATIVE,
  });
}

function ofRelay(request: RelayRequest, names: EdgeNames): ObservedRequest {
  const { labels: _, ...ends } = names.ofRelay(request);
  const { endedAt, route, method, path, status, microseconds, bytesSent, bytesReceived } = request;
  return create(ObservedRequestSchema, {
    ...ends,
    seenAtUs: BigInt(endedAt) * 1000n,
    route,
    method,
    path,
    status,
    durationUs: BigInt(Math.round(microseconds)),
    sentBytes: BigInt(bytesSent),
    receivedBytes: BigInt(bytesReceived),
    carrier: Carrier.RELAY,
  });
}

/** @param monotonic nanoseconds of CLOCK_MONOTONIC */
function wallClockUs(monotonic: bigint): bigint {
  const ago = (process.hrtime.bigint() - monotonic) / 1000n;
  return BigInt(Date.now()) * 1000n - ago;
}
