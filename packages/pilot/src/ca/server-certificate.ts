/** What a TLS server shows, and whom it believes. */
export interface ServerTls {
  /** PEM: the server's certificate and those between it and its root. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** PEM of authorities that client certificates may come from, beside our own; "" for none. */
  readonly moreRoots: string;
}

/** A server's certificate that is replaced in time. */
export interface ServerCertificate {
  readonly current: ServerTls;
  /** @param listener called when `current` has changed */
  onChange(listener: () => void): void;
  close(): Promise<void>;
}

export interface ServerNameOptions {
  /** The control plane's. */
  readonly namespace: string;
  /** Pilot's REVISION; "" and "default" stand for the default one. */
  readonly revision: string;
  /** Of the mesh's discovery address; "" for none. */
  readonly discoveryHost: string;
  /** More names (ISTIOD_CUSTOM_HOST). */
  readonly customHosts: readonly string[];
}

/** The names under which agents and proxies reach the control plane, sorted. */
export function serverNames({
  namespace,
  revision,
  discoveryHost,
  customHosts,
}: ServerNameOptions): string[] {
  const services = ["istiod", "istiod-remote", "istio-pilot"];
  if (revision !== "" && revision !== "default") services.push(`istiod-${revision}`);
  const names = [...services.map((service) => `${service}.${namespace}.svc`), discoveryHost, ...customHosts];
  return [...new Set(names.filter((name) => name !== ""))].sort();
}
