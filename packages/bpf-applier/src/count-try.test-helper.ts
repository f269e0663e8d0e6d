import type { BpfObject } from "bpf-maps-native";

export interface TriedRequest {
  readonly source: bigint;
  readonly service: bigint;
  readonly endpoint: bigint;
  readonly bytes?: number;
}

export interface TriedAnswer extends TriedRequest {
  /** None by default. */
  readonly route?: bigint;
  readonly status: number;
  readonly microseconds: number;
}

/** Counts an answer as a program would that sees one, so many times at once. @param object bpf/count-try.bpf.c */
export const countAnswer = (object: BpfObject, answer: TriedAnswer, times = 1): Promise<void> =>
  run(object, "try_count_answer", answer, times);

/** The same for a request. */
export const countRequest = (object: BpfObject, request: TriedRequest): Promise<void> =>
  run(object, "try_count_request", { ...request, status: 0, microseconds: 0 });

async function run(object: BpfObject, name: string, what: TriedAnswer, repeat = 1): Promise<void> {
  using program = object.program(name);
  const { returnValue } = await program.testRun({ data: packetOf(what), repeat });
  if (returnValue !== 0) throw new Error(`${name} ended with ${returnValue}`);
}

/** As `struct try_answer`. */
function packetOf({
  source,
  service,
  endpoint,
  route = 0n,
  status,
  microseconds,
  bytes = 0,
}: TriedAnswer): Buffer {
  const packet = Buffer.alloc(56);
  [source, service, endpoint, route, BigInt(microseconds) * 1000n, BigInt(bytes)].forEach((word, i) => {
    packet.writeBigUInt64LE(word, i * 8);
  });
  packet.writeUInt32LE(status, 48);
  return packet;
}
