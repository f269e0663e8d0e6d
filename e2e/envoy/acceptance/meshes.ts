import type { PolicyIr } from "@keelson/protos";
import { randomIr } from "@keelson/xds/envoy/testing";

/** What Envoys are fed, one after the other. */
export interface Mesh {
  readonly title: string;
  readonly ir: PolicyIr;
}

/** Every second one demands certificates. @param seed of the first; the others follow it */
export function* generatedMeshes(seed: number, count: number): Generator<Mesh> {
  for (let i = 0; i < count; i += 1) {
    const own = (seed + i) >>> 0;
    const tls = i % 2 === 1;
    yield { title: `the mesh of seed ${own}${tls ? " with TLS" : ""}`, ir: randomIr(own, { tls }) };
  }
}
