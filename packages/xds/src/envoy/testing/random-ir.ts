import type { PolicyIr } from "@keelson/protos";
import { OutboundPolicy } from "@keelson/protos/proxy";
import { aMesh, anIr } from "./builders.ts";
import { randomPeerAuthentications } from "./random/authentications.ts";
import { randomGateways, randomSidecarScopes } from "./random/edges.ts";
import { randomHostPolicies } from "./random/policies.ts";
import { randomRouteTables } from "./random/routes.ts";
import { RandomSource } from "./random/source.ts";
import { randomWorld } from "./random/world.ts";

export interface RandomIrOptions {
  /** Whether rules may demand certificates, which somebody must then serve to the proxies; false by default. */
  readonly tls?: boolean;
}

/**
 * A small mesh with a bit of everything: services of all protocols inside and outside, headless ones, rules, policies,
 * gateways and Sidecars. What the rules say holds together, as if it had been validated. Equal seeds give equal meshes.
 */
export function randomIr(seed: number, { tls = false }: RandomIrOptions = {}): PolicyIr {
  const random = new RandomSource(seed);
  const world = randomWorld(random);
  const gateways = randomGateways(random, tls);
  return anIr({
    ...world,
    mesh: aMesh({
      outboundPolicy: random.pick([OutboundPolicy.ALLOW_ANY, OutboundPolicy.REGISTRY_ONLY]),
      accessLogFile: random.pick(["", "/dev/stdout"]),
      accessLogJson: random.chance(0.5),
      protocolDetectionTimeoutMs: random.pick([0n, 100n]),
      enableAutoMtls: random.chance(0.7),
    }),
    gateways,
    routeTables: randomRouteTables(
      random,
      world.services,
      gateways.map(({ name }) => name),
    ),
    hostPolicies: randomHostPolicies(random, world.services, tls),
    sidecarScopes: randomSidecarScopes(random, world.services),
    peerAuthentications: randomPeerAuthentications(random, tls),
  });
}
