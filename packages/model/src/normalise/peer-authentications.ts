import { create } from "@bufbuild/protobuf";
import { MutualTls, type PeerAuthentication, PeerAuthenticationSchema } from "@keelson/protos/proxy";
import type { PeerAuthenticationObject } from "../kinds/index.ts";
import { sortedEntries } from "./string-match.ts";

const modes = {
  UNSET: MutualTls.UNSPECIFIED,
  DISABLE: MutualTls.DISABLE,
  PERMISSIVE: MutualTls.PERMISSIVE,
  STRICT: MutualTls.STRICT,
} as const;

/** @param object passed checkPeerAuthentication */
export function normalisePeerAuthentication({
  body,
  metadata,
}: PeerAuthenticationObject): PeerAuthentication {
  const { selector, mtls, portLevelMtls } = body.spec;
  const { name, namespace } = metadata;
  return create(PeerAuthenticationSchema, {
    name: `${namespace}/${name}`,
    namespace,
    workloadLabels: Object.fromEntries(sortedEntries(selector?.matchLabels)),
    mode: modes[mtls?.mode ?? "UNSET"],
    portModes: Object.fromEntries(
      Object.entries(portLevelMtls).map(([port, { mode }]) => [Number(port), modes[mode]]),
    ),
  });
}
