import { z } from "zod";
import { idleReason } from "../kinds/not-carried.ts";
import { uniteAlternatives } from "./alternatives.ts";
import { withSnakeCase } from "./snake-case-fields.ts";

/** What Kubernetes takes as the schema of a custom resource: a part of OpenAPI 3.0, without references. */
export interface StructuralSchema {
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: StructuralSchema;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly additionalProperties?: StructuralSchema;
  readonly required?: readonly string[];
  /** Of the three that follow, each entry only says more of a value; its type stands beside them. */
  readonly anyOf?: readonly StructuralSchema[];
  readonly oneOf?: readonly StructuralSchema[];
  readonly allOf?: readonly StructuralSchema[];
  readonly not?: StructuralSchema;
  readonly "x-kubernetes-preserve-unknown-fields"?: true;
  readonly "x-kubernetes-int-or-string"?: true;
}

/** What zod makes of a schema; only what our schemas use is named. */
export interface JsonSchema
  extends Omit<StructuralSchema, "items" | "properties" | "additionalProperties" | "anyOf"> {
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly contentEncoding?: string;
}

/** Anything at all. */
const anything: StructuralSchema = { "x-kubernetes-preserve-unknown-fields": true };

/** Keywords that mean the same on both sides. */
const kept = [
  "description",
  "enum",
  "pattern",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "minItems",
  "maxItems",
  "required",
  "oneOf",
] as const;

/**
 * The schema of a kind as an API server can check it. What is looser there: refinements that are functions, keys of maps.
 * Defaults are left out, so that objects stay as they were written; unknown fields are dropped by the server, or refused
 * if the client asks for that, as kubectl does.
 * @param schema of what is written; its fields' reasons for having no effect become descriptions
 * @param snakeCase each field may also be written in snake_case
 */
export function structuralSchema(schema: z.ZodType, snakeCase: boolean): StructuralSchema {
  const made = z.toJSONSchema(schema, {
    io: "input",
    target: "openapi-3.0",
    reused: "inline",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodUndefined) jsonSchema.not = {};
      const reason = idleReason(zodSchema);
      if (reason !== undefined) jsonSchema.description = sentence(reason);
    },
  });
  // The part of JSON Schema that zod writes is the part that is named above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const structural = convert(made as JsonSchema);
  return snakeCase ? withSnakeCase(structural) : structural;
}

function convert(schema: JsonSchema): StructuralSchema {
  const { anyOf, type, ...rest } = schema;
  if (anyOf !== undefined) return { ...pick(rest), ...uniteAlternatives(anyOf.map(convert)) };
  if (type === undefined) return { ...pick(rest), ...anything };
  return { ...pick(rest), type: typeOf(schema), ...formatOf(schema), ...childrenOf(schema) };
}

const pick = (schema: JsonSchema): StructuralSchema =>
  Object.fromEntries(kept.flatMap((key) => (schema[key] === undefined ? [] : [[key, schema[key]]])));

/** zod calls a choice of whole numbers a number. */
const typeOf = ({ type, enum: choice }: JsonSchema): NonNullable<StructuralSchema["type"]> =>
  type === "number" && choice?.every(Number.isInteger) ? "integer" : (type ?? "object");

/** Kubernetes knows base64 as "byte"; of other formats it knows some, and each of ours has a pattern, too. */
const formatOf = ({ contentEncoding }: JsonSchema): StructuralSchema =>
  contentEncoding === "base64" ? { format: "byte" } : {};

function childrenOf({ items, properties, additionalProperties }: JsonSchema): StructuralSchema {
  const fields = Object.entries(properties ?? {}).filter(([, field]) => field.not === undefined);
  return {
    ...(items !== undefined && { items: convert(items) }),
    ...(fields.length > 0 && {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, convert(field)])),
    }),
    ...(typeof additionalProperties === "object" && othersOf(additionalProperties)),
  };
}

/** Kubernetes takes no `additionalProperties` that allows everything, nor one beside `properties`. */
const othersOf = (others: JsonSchema): StructuralSchema =>
  Object.keys(others).length === 0 ? anything : { additionalProperties: convert(others) };

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
