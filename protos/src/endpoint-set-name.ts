export interface EndpointSetKey {
  readonly hostname: string;
  /** Of the service; 1–65535. */
  readonly port: number;
  /** Whether the port takes datagrams; a TCP port may have the same number. */
  readonly udp?: boolean;
  /** Endpoints whose labels include all of these; empty: all of the port. */
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Resource name of an EndpointSet: as Istio names clusters, but with the subset's labels in place of its name, and with
 * "/udp" behind a UDP port, for which Istio has no clusters.
 */
export function endpointSetName({ hostname, port, udp = false, labels }: EndpointSetKey): string {
  return `outbound|${port}${udp ? "/udp" : ""}|${formatLabels(labels)}|${hostname}`;
}

/** "version=v1,zone=a": labels in the order of their keys. */
export function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.keys(labels)
    .sort()
    .map((key) => `${key}=${labels[key] ?? ""}`)
    .join(",");
}
