/**
 * Every name that Keelson gives to something outside its own memory: one file that all packages read, so that what one
 * program makes another one finds, and an uninstall removes.
 */

/** Folder below the bpffs mount in which every node's maps and links are pinned. */
export const bpffsFolder = "keelson";

/** What the names of cgroups and network namespaces that Keelson makes begin with. */
export const resourcePrefix = "keelson-";

/** Metadata key of an xDS node that says on which Kubernetes node it runs, as in Pilot. */
export const nodeNameMetadata = "NODE_NAME";

/** What the id of an applier's xDS node begins with; its node's name follows. */
export const applierIdPrefix = "bpf-applier~";

/** Service account of appliers, in the control plane's namespace. */
export const applierServiceAccount = "bpf-applier";

/** Whether a node can be called so: a DNS subdomain (RFC 1123), as Kubernetes has it. */
export const isNodeName = (name: string): boolean => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name);

/** Suffix of Kubernetes' service names, as in Pilot's `--domain`. */
export const defaultDomain = "cluster.local";

/** Where the last good policy and other state that must outlive a reboot is kept; `KEELSON_STATE_DIR` overrides it. */
export function stateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["KEELSON_STATE_DIR"] ?? "/var/lib/keelson";
}

/** Where sockets are put, which a reboot may remove; `KEELSON_RUN_DIR` overrides it. */
export function runFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["KEELSON_RUN_DIR"] ?? "/run/keelson";
}
