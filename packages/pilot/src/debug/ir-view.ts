import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { formatAddress } from "@keelson/model";
import type { ResourceSnapshot } from "@keelson/protos";
import { policyTypeUrls } from "@keelson/protos";
import { EndpointSetSchema, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";

const schemas = new Map<string, DescMessage>([
  [policyTypeUrls.endpointSet, EndpointSetSchema],
  [policyTypeUrls.service, ServiceSchema],
  [policyTypeUrls.workload, WorkloadSchema],
]);

/** The IR for people, as values for JSON: enums by name, addresses as text. */
export function irView({ version, resources }: ResourceSnapshot): unknown {
  return {
    version: version.toString(),
    resources: [...resources].flatMap(([typeUrl, byName]) => {
      const schema = schemas.get(typeUrl);
      if (schema === undefined) return [];
      return [...byName.values()].map(({ name, version: own, node, body }) => ({
        type: schema.name,
        name,
        version: own,
        ...(node === undefined ? {} : { node }),
        resource: messageView(schema, fromBinary(schema, body)),
      }));
    }),
  };
}

function messageView(schema: DescMessage, message: Message): unknown {
  const reflected: ReflectMessage = reflect(schema, message);
  return Object.fromEntries(
    reflected.fields.map((field) => {
      const value: unknown = reflected.get(field);
      const values = field.fieldKind === "list" ? [...(value as Iterable<unknown>)] : [value];
      const views = values.map((one) => valueView(one, field.enum?.values));
      return [field.jsonName, field.fieldKind === "list" ? views : views[0]];
    }),
  );
}

function valueView(value: unknown, names?: readonly { number: number; name: string }[]): unknown {
  // Every bytes field of these types is an IP address, or empty where a name stands beside it.
  if (value instanceof Uint8Array) return value.length === 0 ? "" : formatAddress(value);
  if (names !== undefined) return names.find(({ number }) => number === value)?.name ?? value;
  if (typeof value === "object" && value !== null && "desc" in value && "message" in value) {
    const { desc, message } = value as ReflectMessage;
    return messageView(desc, message);
  }
  return value;
}
