import { ioctl, level, option, type Socket } from "../sockets.ts";

/**
 * How many bytes a socket has sent or holds to be sent, redirected ones included: the relay's view of write_seq. Too small
 * for a moment if some are acknowledged meanwhile, never too large.
 */
export async function streamPosition(socket: Socket): Promise<number> {
  const bytesAcknowledged = 120; // tcpi_bytes_acked of struct tcp_info
  const { filled } = await socket.getOption(level.tcp, option.tcpInfo, 128);
  const acknowledged = Number(filled[0]?.readBigUInt64LE(bytesAcknowledged) ?? 0n);
  return acknowledged + (await socket.ioctl(ioctl.unsent));
}
