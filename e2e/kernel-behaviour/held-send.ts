import { type Calls, changing, type Pending } from "./calls.ts";
import { flag, type Socket } from "./sockets.ts";

const pageSize = 4096;
/** Numbers of userfaultfd(2) and ioctl_userfaultfd(2). */
const api = { request: 0xc018_aa3f, version: 0xaan };
const register = { request: 0xc020_aa00, missing: 1n };
const zeroPage = 0xc020_aa04;

const words = (...values: bigint[]): Buffer => Buffer.from(BigUint64Array.from(values).buffer);

/** A send that the kernel has begun and cannot end, because the sender's memory is not there yet. */
export interface HeldSend {
  readonly sending: Pending;
  /** Lets it go on. */
  release(): Promise<void>;
}

/**
 * Begins to send zeros from a page that user space has to bring first (userfaultfd): the kernel copies with the socket's
 * lock held, so it is held until `release`. Resolves when it is.
 */
export async function holdInSend(socket: Socket, size: number): Promise<HeldSend> {
  const { calls } = socket;
  const readWrite = 3;
  const privateAnonymous = 0x22;
  const page = (await calls.must("mmap", 0, pageSize, readWrite, privateAnonymous, -1, 0)).result;
  const range = [BigInt(page), BigInt(pageSize)] as const;
  const faults = (await calls.must("userfaultfd", 0)).result;
  await calls.must("ioctl", faults, api.request, changing(words(api.version, 0n, 0n)));
  await calls.must("ioctl", faults, register.request, changing(words(...range, register.missing, 0n)));
  const sending = calls.begin(["sendto", socket.fd, page, size, flag.noSignal, 0, 0]);
  if (!(await sending.sleeps())) throw new Error("the send did not wait for its memory");
  const release = (): Promise<void> => fillPage(calls, faults, range);
  return { sending, release };
}

async function fillPage(calls: Calls, faults: number, range: readonly [bigint, bigint]): Promise<void> {
  await calls.must("ioctl", faults, zeroPage, changing(words(...range, 0n, 0n)));
  await calls.must("close", faults);
}
