import { endpointSetName } from "@keelson/protos";
import {
  type EndpointSet,
  ApplicationProtocol as Protocol,
  Resolution,
  type Service,
  type Workload,
} from "@keelson/protos/policy";
import { address, anEndpointSet, aService, aWorkload } from "../builders.ts";
import type { RandomSource } from "./source.ts";

export const namespaces = ["default", "shop", "bank"] as const;

/** Few, so that services meet on them. */
const ports = [80, 443, 3306, 5000, 8080, 9080];
const protocols = [
  Protocol.UNSPECIFIED,
  Protocol.TCP,
  Protocol.HTTP,
  Protocol.HTTP2,
  Protocol.GRPC,
  Protocol.GRPC_WEB,
  Protocol.HTTPS,
  Protocol.TLS,
  Protocol.MONGO,
  Protocol.MYSQL,
  Protocol.REDIS,
  Protocol.UDP,
];
export const versions = ["v1", "v2", "v3"] as const;
const localities = ["", "east/a/1", "east/a/2", "east/b", "west/c"];

/** Services, what stands behind them, and the pods that are called and call. */
export interface RandomWorld {
  readonly services: readonly Service[];
  readonly endpointSets: readonly EndpointSet[];
  readonly workloads: readonly Workload[];
}

export function randomWorld(random: RandomSource): RandomWorld {
  const services = random.times(2, 12, (i) => randomService(random, i));
  const sets = services.flatMap((service) => endpointSets(random, service));
  return { services, endpointSets: sets, workloads: workloadsOf(sets) };
}

function randomService(random: RandomSource, i: number): Service {
  const outside = random.chance(0.25);
  const numbers = [...new Set(random.times(1, 3, () => random.pick(ports)))];
  const common = {
    ports: numbers.map((port) => ({ port, name: `p${port}`, applicationProtocol: random.pick(protocols) })),
    exportedTo: random.chance(0.1) ? [random.pick(namespaces)] : [],
    identities: random.chance(0.5) ? [`spiffe://cluster.local/ns/default/sa/service-${i}`] : [],
    waypoint: random.chance(0.4) ? "default/waypoint" : "",
  };
  if (!outside) {
    const headless = random.chance(0.15);
    return aService(`service-${i}.${random.pick(namespaces)}`, {
      ...common,
      addresses: headless ? [] : addressesOf(random, i),
      resolution: headless ? Resolution.PASSTHROUGH : Resolution.STATIC,
    });
  }
  const wildcard = random.chance(0.2);
  return aService(`outside-${i}.${random.pick(namespaces)}`, {
    ...common,
    hostname: wildcard ? `*.wild-${i}.example.com` : `outside-${i}.example.com`,
    addresses: random.chance(0.3) ? addressesOf(random, i) : [],
    resolution: wildcard
      ? Resolution.PASSTHROUGH
      : random.pick([Resolution.DNS, Resolution.DNS_ROUND_ROBIN, Resolution.STATIC, Resolution.PASSTHROUGH]),
    meshExternal: true,
  });
}

function addressesOf(random: RandomSource, i: number): string[] {
  const first = `10.96.0.${i + 1}`;
  return random.chance(0.2) ? [first, `fd00:96::${(i + 1).toString(16)}`] : [first];
}

const looksUpNames = ({ resolution }: Service): boolean =>
  resolution === Resolution.DNS || resolution === Resolution.DNS_ROUND_ROBIN;

function endpointSets(random: RandomSource, service: Service): EndpointSet[] {
  const { hostname } = service;
  const number = Number(/\d+/.exec(hostname)?.[0] ?? 0);
  const pods = random.times(0, 4, (pod) => ({
    address: `10.244.${number}.${pod + 1}`,
    version: random.pick(versions),
    locality: random.pick(localities),
    mutualTls: random.chance(0.7),
    tunnel: random.chance(0.5),
    weight: random.integer(1, 10),
  }));
  return service.ports.flatMap(({ port, applicationProtocol }) => {
    const udp = applicationProtocol === Protocol.UDP;
    const all = pods.map(({ version, address: ip, ...pod }, i) => ({
      ...pod,
      ...(looksUpNames(service) ? { hostname: `host-${i}.example.net` } : { address: ip }),
      port: port === 80 ? 8000 : port,
      workload: service.meshExternal ? "" : `${service.namespace}/pod-${number}-${i + 1}`,
      labels: ["app=app", `version=${version}`],
    }));
    const name = (labels: Record<string, string>): string => endpointSetName({ hostname, port, udp, labels });
    return [
      anEndpointSet(name({}), all),
      ...versions.map((version) =>
        anEndpointSet(
          name({ version }),
          all.filter(({ labels }) => labels.includes(`version=${version}`)),
        ),
      ),
    ];
  });
}

/** A pod for every endpoint that has one. */
function workloadsOf(sets: readonly EndpointSet[]): Workload[] {
  const byName = new Map<string, Workload>();
  for (const { workload, address: ip, labels } of sets.flatMap(({ endpoints }) => endpoints)) {
    if (workload === "" || byName.has(workload)) continue;
    const pairs = labels.map((label) => label.split("=")).map(([key = "", value = ""]) => ({ key, value }));
    byName.set(workload, aWorkload(workload, { addresses: [ip], labels: pairs }));
  }
  return [...byName.values()];
}

/** The address that {@link randomIr}'s callers have if they are no endpoint themselves. */
export const callerAddress = address("10.244.255.1");
