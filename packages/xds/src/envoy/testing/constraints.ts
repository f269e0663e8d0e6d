import {
  type DescField,
  type DescMessage,
  fromBinary,
  getOption,
  hasOption,
  isFieldSet,
  type Message,
} from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { required, rules } from "@envoyproxy/xds-protos/validate/validate_pb.js";
import { envoyRegistry } from "../registry.ts";
import { brokenRules } from "./field-rules.ts";

/** A field that Envoy would refuse or warn of. */
export interface Violation {
  /** From the outermost message: "listener_filters[0].typed_config.mark". */
  readonly path: string;
  readonly why: string;
}

/**
 * What Envoy's own rules (written beside its fields) say against a message, and every deprecated field that is set.
 * Messages inside google.protobuf.Any are checked, too.
 */
export function violations(schema: DescMessage, message: Message, path = ""): Violation[] {
  const missing = schema.oneofs
    .filter((oneof) => hasOption(oneof, required) && getOption(oneof, required))
    .filter(
      (oneof) =>
        (message as unknown as Record<string, { case?: string }>)[oneof.localName]?.case === undefined,
    )
    .map((oneof) => ({ path: `${path}${oneof.name}`, why: "one of them must be set" }));
  return [
    ...missing,
    ...schema.fields.flatMap((field) => fieldViolations(field, message, `${path}${field.name}`)),
  ];
}

function fieldViolations(field: DescField, message: Message, path: string): Violation[] {
  const fieldRules = hasOption(field, rules) ? getOption(field, rules) : undefined;
  const isSet = isFieldSet(message, field);
  const value = valueOf(field, message);
  const broken = fieldRules === undefined ? [] : brokenRules(field, fieldRules, isSet, value);
  const deprecated = isSet && field.deprecated ? ["is deprecated"] : [];
  return [
    ...[...broken, ...deprecated].map((why) => ({ path, why })),
    ...(isSet ? innerViolations(field, value, path) : []),
  ];
}

function valueOf(field: DescField, message: Message): unknown {
  const fields = message as unknown as Record<string, unknown>;
  if (field.oneof === undefined) return fields[field.localName];
  const chosen = fields[field.oneof.localName] as { case?: string; value?: unknown } | undefined;
  return chosen?.case === field.localName ? chosen.value : undefined;
}

function innerViolations(field: DescField, value: unknown, path: string): Violation[] {
  switch (field.fieldKind) {
    case "message":
      return messageViolations(field.message, value, path);
    case "list":
      return field.listKind === "message"
        ? (value as unknown[]).flatMap((item, i) => messageViolations(field.message, item, `${path}[${i}]`))
        : [];
    case "map":
      return field.mapKind === "message"
        ? Object.entries(value as object).flatMap(([key, item]) =>
            messageViolations(field.message, item, `${path}["${key}"]`),
          )
        : [];
    default:
      return [];
  }
}

function messageViolations(schema: DescMessage, value: unknown, path: string): Violation[] {
  if (schema.typeName === AnySchema.typeName) {
    const { typeUrl, value: body } = value as Any;
    const inner = envoyRegistry.getMessage(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
    if (inner === undefined) return [{ path, why: `holds a ${typeUrl}, which nobody knows` }];
    return violations(inner, fromBinary(inner, body), `${path}.`);
  }
  // Wrappers and structs stand for plain values.
  if (schema.typeName.startsWith("google.protobuf.")) return [];
  return violations(schema, value as Message, `${path}.`);
}
