import type { StructuralSchema } from "./structural-schema.ts";

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The same, with every field also under its name in snake_case. */
export function withSnakeCase(schema: StructuralSchema): StructuralSchema {
  const { items, properties, additionalProperties, required, ...rest } = schema;
  return {
    ...rest,
    ...(items && { items: withSnakeCase(items) }),
    ...(additionalProperties && { additionalProperties: withSnakeCase(additionalProperties) }),
    ...(properties && { properties: bothNames(properties) }),
    ...(required && requiredUnderEitherName(required)),
  };
}

function bothNames(
  properties: NonNullable<StructuralSchema["properties"]>,
): StructuralSchema["properties"] & object {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, field]) => {
      const made = withSnakeCase(field);
      return snake(name) === name
        ? [[name, made]]
        : [
            [name, made],
            [snake(name), made],
          ];
    }),
  );
}

function requiredUnderEitherName(required: readonly string[]): StructuralSchema {
  const plain = required.filter((name) => snake(name) === name);
  const either = required
    .filter((name) => snake(name) !== name)
    .map((name) => ({ anyOf: [{ required: [name] }, { required: [snake(name)] }] }));
  return {
    ...(plain.length > 0 && { required: plain }),
    ...(either.length > 0 && { allOf: either }),
  };
}
