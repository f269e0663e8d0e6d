import { MutualTls, type PeerAuthentication } from "@keelson/protos/proxy";
import { aPeerAuthentication } from "../builders.ts";
import type { RandomSource } from "./source.ts";
import { namespaces, versions } from "./world.ts";

/** @param tls whether clear text may be refused */
export function randomPeerAuthentications(random: RandomSource, tls: boolean): PeerAuthentication[] {
  const modes = [
    MutualTls.UNSPECIFIED,
    MutualTls.DISABLE,
    MutualTls.PERMISSIVE,
    ...(tls ? [MutualTls.STRICT] : []),
  ];
  return random.times(0, 3, (i) => {
    const namespace = random.pick([...namespaces, "istio-system"]);
    const mode = random.pick(modes);
    if (random.chance(0.5)) return aPeerAuthentication(`${namespace}/authentication-${i}`, { mode });
    return aPeerAuthentication(`${namespace}/authentication-${i}`, {
      mode,
      workloadLabels: { version: random.pick(versions) },
      portModes: { 8080: random.pick(modes), 7777: random.pick(modes) },
    });
  });
}
