import { type DescField, type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
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

/** Fields that can be absent are there only if they are set. */
function messageView(schema: DescMessage, message: Message): unknown {
  const reflected: ReflectMessage = reflect(schema, message);
  const shown = reflected.fields.filter(
    (field) => field.presence !== FeatureSet_FieldPresence.EXPLICIT || reflected.isSet(field),
  );
  return Object.fromEntries(shown.map((field) => [field.jsonName, fieldView(field, reflected.get(field))]));
}

function fieldView(field: DescField, value: unknown): unknown {
  if (field.fieldKind === "list")
    return [...(value as Iterable<unknown>)].map((item) => valueView(field, item));
  if (field.fieldKind === "map") {
    const entries = [...(value as Iterable<readonly [string | number, unknown]>)];
    return Object.fromEntries(entries.map(([key, item]) => [key, valueView(field, item)]));
  }
  return valueView(field, value);
}

/** Bytes in fields of these names are an IP address, or empty where a name stands beside it. */
const addressFields = new Set(["address", "addresses"]);

function valueView(field: DescField, value: unknown): unknown {
  if (value instanceof Uint8Array) {
    if (!addressFields.has(field.name)) return Buffer.from(value).toString("base64");
    return value.length === 0 ? "" : formatAddress(value);
  }
  if (field.enum !== undefined)
    return field.enum.values.find(({ number }) => number === value)?.name ?? value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "object" && value !== null && "desc" in value && "message" in value) {
    const { desc, message } = value as ReflectMessage;
    return messageView(desc, message);
  }
  return value;
}
