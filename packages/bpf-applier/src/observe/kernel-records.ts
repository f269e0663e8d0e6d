import { observation, requestRecord } from "@keelson/bpf";
import { type BpfMap, RingBuffer } from "bpf-maps-native";
import { readStatistic } from "../edge-reader.ts";

export type RequestRecord = ReturnType<typeof requestRecord.decode>;

export interface RecordMaps {
  readonly observation: BpfMap;
  readonly records: BpfMap;
  readonly statistics: BpfMap;
}

/** Records since the last time, and how many more there were that nobody read in time. */
export type TakeRecords = (records: readonly RequestRecord[], lost: number) => void;

const first = new Uint8Array(4);
const everyMs = 100;
/** Programs are told until when somebody listens, so that an agent that is killed costs them nothing for longer. */
const switchedOnForNs = 2_000_000_000n;

/** Single requests that programs see, while somebody wants to see them. */
export class KernelRecords {
  private readonly maps: RecordMaps;
  private readonly take: TakeRecords;
  private ring: RingBuffer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private every = 0;
  private records: RequestRecord[] = [];
  private lostBefore = 0n;

  constructor(maps: RecordMaps, take: TakeRecords) {
    this.maps = maps;
    this.take = take;
  }

  /** @param every one request of so many, drawn at random; 0: none. @throws BpfError */
  open(every: number): void {
    this.every = every;
    if (every === 0) this.close();
    else if (this.ring === undefined) this.start();
    else this.switchOn();
  }

  close(): void {
    clearInterval(this.timer);
    if (this.ring === undefined) return;
    this.maps.observation.update(first, observation.encode({ until: 0n, every: 0 }));
    this.ring.close();
    this.ring = undefined;
    this.records = [];
  }

  private start(): void {
    // What an earlier one has left in the buffer is nobody's.
    const openedAt = process.hrtime.bigint();
    this.lostBefore = readStatistic(this.maps.statistics, "lost_records");
    this.ring = new RingBuffer(this.maps.records, (bytes) => {
      const record = requestRecord.decode(bytes);
      if (record.seen >= openedAt) this.records.push(record);
    });
    this.switchOn();
    this.timer = setInterval(() => this.look(), everyMs);
  }

  private look(): void {
    this.switchOn();
    const lostSoFar = readStatistic(this.maps.statistics, "lost_records");
    const lost = Number(lostSoFar - this.lostBefore);
    const { records } = this;
    if (records.length === 0 && lost === 0) return;
    this.lostBefore = lostSoFar;
    this.records = [];
    this.take(records, lost);
  }

  private switchOn(): void {
    const until = process.hrtime.bigint() + switchedOnForNs;
    this.maps.observation.update(first, observation.encode({ until, every: this.every }));
  }
}
