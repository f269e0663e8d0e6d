import { type DescMessage, equals, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { ModelBuilder } from "@keelson/model";
import { type Manifest, manifests, read, smallEdits, UnchangedStaysTheSame } from "@keelson/model/testing";
import type { PolicyIr } from "@keelson/protos";
import {
  EndpointSetSchema,
  ExternalNameSchema,
  type ServicePort,
  ServiceSchema,
  Tier,
  WorkloadSchema,
} from "@keelson/protos/policy";
import {
  ExtensionSchema,
  GatewaySchema,
  PeerAuthenticationSchema,
  SidecarScopeSchema,
} from "@keelson/protos/proxy";
import { RouteTableSchema } from "@keelson/protos/route";
import { HostPolicySchema } from "@keelson/protos/traffic-policy";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Compiler } from "./compiler.ts";
import { View } from "./testing/compile.ts";

/** Type URL → name → node, version and bytes, as text. */
function dump({ resources }: ReturnType<Compiler["compile"]>): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...resources].map(([typeUrl, byName]) => [
      typeUrl,
      Object.fromEntries(
        [...byName].map(([name, { version, node, body }]) => [
          name,
          `${node ?? ""} ${version} ${Buffer.from(body).toString("hex")}`,
        ]),
      ),
    ]),
  );
}

const isMap = (part: unknown): part is ReadonlyMap<string, unknown> =>
  typeof part === "object" && part !== null && "entries" in part && "size" in part;

/** All parts of the IR, in their order. */
const irOf = ({ ir }: ReturnType<Compiler["compile"]>): unknown[] =>
  Object.values(ir).map((part: unknown) => (isMap(part) ? [...part] : part));

const fromNothing = (objects: ReturnType<typeof read>) =>
  new Compiler().compile(new ModelBuilder().build(objects).model);

test("equal input gives equal bytes, whatever its order", () => {
  const shuffled = manifests.chain((all) => {
    const objects = read(...all);
    return fc.tuple(fc.constant(objects), fc.shuffledSubarray(objects, { minLength: objects.length }));
  });
  fc.assert(
    fc.property(shuffled, ([objects, others]) => {
      const [one, other] = [fromNothing(objects), fromNothing(others)];
      expect(dump(other)).toEqual(dump(one));
      expect(irOf(other)).toEqual(irOf(one));
    }),
    { numRuns: 300 },
  );
});

/** The next round: some manifests gone, some others there. */
const edits = fc.array(
  fc.record({ keep: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }), add: manifests }),
  {
    minLength: 1,
    maxLength: 4,
  },
);

const largeEdits = fc.tuple(manifests, edits).map(([start, rounds]) => {
  const states: (readonly Manifest[])[] = [start];
  for (const { keep, add } of rounds)
    states.push([...(states.at(-1) ?? []).filter((_, i) => keep[i] ?? true), ...add]);
  return states;
});

test.each([
  ["large", largeEdits],
  ["small", smallEdits],
] as const)(
  "after %s changes, a compiler writes the bytes, problems and explanations of a new one",
  (_, all) => {
    fc.assert(
      fc.property(all, (states) => {
        const source = new UnchangedStaysTheSame();
        const [builder, compiler] = [new ModelBuilder(), new Compiler()];
        for (const state of states) {
          const objects = source.read(state);
          const { model } = builder.build(objects);
          const [incremental, fresh] = [compiler.compile(model), fromNothing(objects)];
          expect(dump(incremental)).toEqual(dump(fresh));
          expect(irOf(incremental)).toEqual(irOf(fresh));
          expect(incremental.problems).toEqual(fresh.problems);
          for (const hostname of model.services.keys()) {
            expect(incremental.explain(hostname)).toEqual(fresh.explain(hostname));
          }
        }
      }),
      { numRuns: 80 },
    );
  },
);

/** Every endpoint set that a port names. */
const setsOf = ({ destinations, routes, connectionRoutes }: ServicePort): string[] =>
  [
    ...destinations,
    ...routes.flatMap((route) => [...route.destinations, ...route.mirrors]),
    ...connectionRoutes.flatMap((route) => route.destinations),
  ].map(({ endpointSet }) => endpointSet);

test("every destination's set is there, and nothing else", () => {
  fc.assert(
    fc.property(manifests, (all) => {
      const compiled = fromNothing(read(...all));
      const view = new View(compiled);
      const ports = view.services().flatMap((service) => service.ports);
      const wanted = ports.flatMap(setsOf);
      expect(new Set(view.endpointSetNames())).toEqual(new Set(wanted));
    }),
  );
});

test("a port has routes exactly where the relay carries it, each with what stands beside it", () => {
  let relayed = 0;
  fc.assert(
    fc.property(manifests, (all) => {
      const ports = new View(fromNothing(read(...all))).services().flatMap((service) => service.ports);
      for (const { tier, routes, connectionRoutes } of ports) {
        expect(tier === Tier.RELAY).toBe(routes.length + connectionRoutes.length > 0);
        relayed += tier === Tier.RELAY ? 1 : 0;
        for (const { route, destinations, mirrors } of routes) {
          const answersItself = (route?.redirect ?? route?.directResponse) !== undefined;
          const least = answersItself ? 0 : Math.max(1, route?.destinations.length ?? 0);
          expect(destinations).toHaveLength(least);
          expect(mirrors).toHaveLength(route?.mirrors.length ?? 0);
        }
        for (const { matches } of [...routes, ...connectionRoutes].flatMap(({ route }) => route ?? [])) {
          expect(matches.filter(({ port, gateways }) => port !== 0 || gateways.length > 0)).toEqual([]);
        }
      }
    }),
    // One in 25 has such a port: of 100 none had, once in 60 times.
    { numRuns: 600 },
  );
  expect(relayed).toBeGreaterThan(0);
});

const schemas: Record<Exclude<keyof PolicyIr, "mesh">, DescMessage> = {
  services: ServiceSchema,
  externalNames: ExternalNameSchema,
  endpointSets: EndpointSetSchema,
  workloads: WorkloadSchema,
  routeTables: RouteTableSchema,
  hostPolicies: HostPolicySchema,
  gateways: GatewaySchema,
  sidecarScopes: SidecarScopeSchema,
  peerAuthentications: PeerAuthenticationSchema,
  extensions: ExtensionSchema,
};

test("every message of the IR can be written, and reads as what it was", () => {
  fc.assert(
    fc.property(manifests, (all) => {
      const { ir } = fromNothing(read(...all));
      for (const [part, schema] of Object.entries(schemas)) {
        const messages: ReadonlyMap<string, Message> = ir[part as keyof typeof schemas];
        for (const [name, message] of messages) {
          expect(message).toMatchObject(
            "hostname" in message && part === "services" ? { hostname: name } : { name },
          );
          expect(equals(schema, fromBinary(schema, toBinary(schema, message)), message)).toBe(true);
        }
      }
    }),
    { numRuns: 200 },
  );
});
