/** "10.96.0.1:80", "[fd00::1]:80": the peer as the socket shows it. */
export function formatPeer(address: string | undefined, port: number | undefined): string {
  return address?.includes(":") === true ? `[${address}]:${port}` : `${address}:${port}`;
}
