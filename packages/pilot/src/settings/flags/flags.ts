import { honoured, own } from "../setting.ts";
import { kubernetesFlags } from "./kubernetes.ts";
import { loggingFlags } from "./logging.ts";
import { serverFlags } from "./servers.ts";
import { sourceFlags } from "./sources.ts";

/** Of every subcommand that takes flags of Pilot's. */
const ownFlags = {
  "strict-flags": honoured("bool", "false", own, "an unknown flag is an error instead of a warning"),
};

/** The flags of `discovery`, in groups as --help shows them. */
export const flagGroups = {
  "Configuration and services": sourceFlags,
  Servers: serverFlags,
  Log: loggingFlags,
  Kubernetes: kubernetesFlags,
  "The command line": ownFlags,
} as const;

/** Every flag of `discovery`: those of Pilot 0.2.12, of Pilot 0.7.1, of today's istiod, and our own. */
export const discoveryFlags = {
  ...sourceFlags,
  ...serverFlags,
  ...loggingFlags,
  ...kubernetesFlags,
  ...ownFlags,
} as const;
