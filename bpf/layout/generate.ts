// Writes gen/layout.h for the eBPF programs and gen/layout.js with its types for TypeScript.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { type FieldType, type PlacedField, type PlacedStruct, place, sizes } from "./describe.ts";
import {
  balancing,
  commandKind,
  constants,
  home,
  keyKind,
  matchFlag,
  matchKind,
  matchNext,
  matchRelay,
  matchVerdict,
  requestProgram,
  settlement,
  statistics,
  structs,
  tableSize,
} from "./layouts.ts";

const placed = structs.map(place);

interface Enumerator {
  readonly name: string;
  readonly doc: string;
}

interface Enumeration {
  readonly name: string;
  readonly enumerators: readonly Enumerator[];
  readonly valueOf: (index: number) => number;
}

const asIs = (index: number): number => index;
const enumerations: readonly Enumeration[] = [
  { name: "home", enumerators: home, valueOf: asIs },
  { name: "table_size", enumerators: tableSize, valueOf: asIs },
  { name: "request_program", enumerators: requestProgram, valueOf: asIs },
  { name: "balancing", enumerators: balancing, valueOf: asIs },
  { name: "key_kind", enumerators: keyKind, valueOf: asIs },
  { name: "command_kind", enumerators: commandKind, valueOf: asIs },
  { name: "settlement", enumerators: settlement, valueOf: asIs },
  { name: "match_kind", enumerators: matchKind, valueOf: asIs },
  { name: "match_flag", enumerators: matchFlag, valueOf: (index) => 0x100 << index },
  { name: "match_next", enumerators: matchNext, valueOf: (index) => 2 ** (31 - index) },
  { name: "match_verdict", enumerators: matchVerdict, valueOf: asIs },
  { name: "match_relay", enumerators: matchRelay, valueOf: asIs },
];

const inC = (value: number | bigint): string =>
  typeof value === "bigint" ? `0x${value.toString(16)}ULL` : `${value}`;
const inScript = (value: number | bigint): string => (typeof value === "bigint" ? `${value}n` : `${value}`);

const cTypes: Record<FieldType, string> = {
  u8: "__u8",
  be16: "__be16",
  u32: "__u32",
  u64: "__u64",
  address: "struct address",
  name: "struct name",
};

function cField(field: PlacedField): string {
  return `\t${cTypes[field.type]} ${field.name};${field.doc === undefined ? "" : ` /* ${field.doc} */`}`;
}

function cStruct(struct: PlacedStruct): string {
  const fields = struct.fields.map(cField);
  if (struct.tail > 0) fields.push(`\t__u8 zero[${struct.tail}]; /* always 0: part of a key's bytes */`);
  const asserts = struct.fields.map(
    (field) =>
      `_Static_assert(__builtin_offsetof(struct ${struct.name}, ${field.name}) == ${field.offset}, "layout");`,
  );
  return [
    `/* ${struct.doc} */`,
    `struct ${struct.name} {`,
    ...fields,
    "};",
    `_Static_assert(sizeof(struct ${struct.name}) == ${struct.size}, "layout");`,
    ...asserts,
    "",
  ].join("\n");
}

function cEnumeration({ name, enumerators, valueOf }: Enumeration): string {
  const lines = enumerators.map(
    (one, index) =>
      `\t${`${name}_${one.name}`.toUpperCase()} = 0x${valueOf(index).toString(16)}, /* ${one.doc} */`,
  );
  return [`enum ${name} {`, ...lines, "};", ""].join("\n");
}

/** By name: value and what it means. */
const valuesOf = ({ enumerators, valueOf }: Enumeration) =>
  Object.fromEntries(
    enumerators.map(({ name, doc }, index) => [camel(name), { value: valueOf(index), doc }]),
  );

function header(): string {
  const counters = statistics.map((s, i) => `\tSTATISTIC_${s.name.toUpperCase()} = ${i}, /* ${s.doc} */`);
  return [
    "/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */",
    "/* Made by layout/generate.ts from layout. Do not edit. */",
    "#pragma once",
    "#include <linux/types.h>",
    "",
    "/* 16 bytes in network order; IPv4 as IPv4-mapped IPv6. */",
    "struct address {",
    "\t__be32 word[4];",
    "};",
    "",
    "/* Bytes of a text, and zeros behind it. */",
    "struct name {",
    `\t__u8 byte[${sizes.name.size}];`,
    "};",
    "",
    ...constants.map(({ name, value, doc }) => `#define ${name.toUpperCase()} ${inC(value)} /* ${doc} */`),
    "",
    ...placed.map(cStruct),
    "enum statistic {",
    ...counters,
    `\tSTATISTIC_COUNT = ${statistics.length},`,
    "};",
    "",
    ...enumerations.map(cEnumeration),
  ].join("\n");
}

const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);

const tsTypes: Record<FieldType, string> = {
  u8: "number",
  be16: "number",
  u32: "number",
  u64: "bigint",
  address: "Uint8Array",
  name: "Uint8Array",
};

function writer(field: PlacedField): string {
  const value = `value.${camel(field.name)}`;
  switch (field.type) {
    case "u8":
      return `view.setUint8(${field.offset}, ${value});`;
    case "be16":
      return `view.setUint16(${field.offset}, ${value}, false);`;
    case "u32":
      return `view.setUint32(${field.offset}, ${value}, littleEndian);`;
    case "u64":
      return `view.setBigUint64(${field.offset}, ${value}, littleEndian);`;
    case "address":
      return `bytes.set(sized("address", ${value}, 16), ${field.offset});`;
    case "name":
      return `bytes.set(sized("name", ${value}, ${sizes.name.size}), ${field.offset});`;
  }
}

function reader(field: PlacedField): string {
  switch (field.type) {
    case "u8":
      return `view.getUint8(${field.offset})`;
    case "be16":
      return `view.getUint16(${field.offset}, false)`;
    case "u32":
      return `view.getUint32(${field.offset}, littleEndian)`;
    case "u64":
      return `view.getBigUint64(${field.offset}, littleEndian)`;
    case "address":
    case "name":
      return `bytes.slice(${field.offset}, ${field.offset + sizes[field.type].size})`;
  }
}

function jsCodec(struct: PlacedStruct): string {
  return `export const ${camel(struct.name)} = {
  size: ${struct.size},
  encode(value) {
    const bytes = new Uint8Array(${struct.size});
    const view = new DataView(bytes.buffer);
${struct.fields.map((field) => `    ${writer(field)}`).join("\n")}
    return bytes;
  },
  decode(bytes) {
    if (bytes.length < ${struct.size}) throw new RangeError(\`${struct.name}: \${bytes.length} bytes, need ${struct.size}\`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, ${struct.size});
    return {
${struct.fields.map((field) => `      ${camel(field.name)}: ${reader(field)},`).join("\n")}
    };
  },
};
`;
}

function script(layoutHash: string): string {
  return `// Made by layout/generate.ts from layout. Do not edit.
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function sized(what, bytes, size) {
  if (bytes.length !== size) throw new RangeError(\`\${what}: \${bytes.length} bytes, need \${size}\`);
  return bytes;
}

export const layoutHash = "${layoutHash}";

export const statistics = ${JSON.stringify(statistics.map((s) => s.name))};

${constants.map(({ name, value }) => `export const ${camel(name)} = ${inScript(value)};`).join("\n")}

${enumerations.map((one) => `export const ${camel(one.name)} = ${JSON.stringify(valuesOf(one), null, 2)};`).join("\n\n")}

${placed.map(jsCodec).join("\n")}
export const structs = ${JSON.stringify(
    Object.fromEntries(
      placed.map((s) => [
        s.name,
        { size: s.size, fields: s.fields.map((f) => ({ name: f.name, type: f.type, offset: f.offset })) },
      ]),
    ),
    null,
    2,
  )};
`;
}

function typings(): string {
  const types = placed.map(
    (struct) => `/** ${struct.doc} */
export interface ${pascal(struct.name)} {
${struct.fields
  .map(
    (f) =>
      `${f.doc === undefined ? "" : `  /** ${f.doc} */\n`}  readonly ${camel(f.name)}: ${tsTypes[f.type]};`,
  )
  .join("\n")}
}
export const ${camel(struct.name)}: Codec<${pascal(struct.name)}>;
`,
  );
  return `// Made by layout/generate.ts from layout. Do not edit.
export interface Codec<T> {
  /** Bytes, padding included. */
  readonly size: number;
  encode(value: T): Uint8Array;
  /** @throws RangeError if there are fewer than \`size\` bytes. */
  decode(bytes: Uint8Array): T;
}
/** Changes when any layout does; part of the name of the folder that maps are pinned in. */
export const layoutHash: string;
/** Names of the counters in the map \`statistics\`, by index. */
export const statistics: readonly [${statistics.map((s) => JSON.stringify(s.name)).join(", ")}];
${constants.map(({ name, value, doc }) => `/** ${doc} */\nexport const ${camel(name)}: ${inScript(value)};`).join("\n")}
${enumerations.map((one) => `export const ${camel(one.name)}: ${JSON.stringify(valuesOf(one))};`).join("\n")}
/** Every structure with its fields and offsets, to hold against an object's BTF. */
export const structs: Readonly<
  Record<string, { size: number; fields: readonly { name: string; type: string; offset: number }[] }>
>;

${types.join("\n")}`;
}

const layoutHash = createHash("sha256")
  .update(
    JSON.stringify({
      placed,
      statistics,
      enumerations,
      numbers: constants.map(({ name, value }) => [name, String(value)]),
    }),
  )
  .digest("hex")
  .slice(0, 12);
const out = new URL("../gen/", import.meta.url);
mkdirSync(out, { recursive: true });
writeFileSync(new URL("layout.h", out), header());
writeFileSync(new URL("layout.js", out), script(layoutHash));
writeFileSync(new URL("layout.d.ts", out), typings());
