import { create, toBinary } from "@bufbuild/protobuf";
import type { Resource } from "@keelson/protos";
import { type NameTable_NameInfoSchema, NameTableSchema } from "@keelson/protos/name-table";
import { Resolution, type Service } from "@keelson/protos/policy";
import { spokenAddresses } from "./addresses.ts";
import type { Context } from "./context.ts";
import { type Init, resourceOfBytes } from "./wire.ts";

type NameInfo = Init<typeof NameTable_NameInfoSchema>;

/** "name.namespace.svc.…": the agent derives the shorter names of Kubernetes services itself. */
function registryOf({ hostname, namespace }: Service, domain: string): NameInfo {
  const [name = ""] = hostname.split(".", 1);
  if (hostname !== `${name}.${namespace}.svc.${domain}`) return { registry: "External" };
  return { registry: "Kubernetes", shortname: name, namespace };
}

/** A headless service is answered with its endpoints' addresses. */
function addressesOf(service: Service, context: Context): string[] {
  const { families } = context.proxy;
  if (service.addresses.length > 0) return spokenAddresses(service.addresses, families);
  if (service.resolution !== Resolution.PASSTHROUGH) return [];
  const endpoints = service.ports.flatMap(({ port }) => context.endpointsOf(service, port));
  const addresses = endpoints.map(({ address }) => address).filter(({ length }) => length > 0);
  return [...new Set(spokenAddresses(addresses, families))];
}

const encoded = new WeakMap<Service, Map<string, Uint8Array>>();

/** The entry of one service as a whole table: tables add up by putting their bytes behind each other. */
function entryOf(service: Service, context: Context): Uint8Array {
  const ips = addressesOf(service, context);
  if (ips.length === 0) return new Uint8Array();
  const key = `${context.mesh.domain} ${ips.join(" ")}`;
  const known = encoded.get(service) ?? new Map<string, Uint8Array>();
  encoded.set(service, known);
  const bytes =
    known.get(key) ??
    toBinary(
      NameTableSchema,
      create(NameTableSchema, {
        table: { [service.hostname]: { ips, ...registryOf(service, context.mesh.domain) } },
      }),
    );
  known.set(key, bytes);
  return bytes;
}

/** The names that pilot-agent answers, of all services that the listeners see. The only resource of its type: unnamed. */
export function nameTable(context: Context): Resource {
  const services = new Set(
    context.scope.egress.flatMap((egress) => egress.services.map(({ service }) => service)),
  );
  return resourceOfBytes("", Buffer.concat([...services].map((service) => entryOf(service, context))));
}
