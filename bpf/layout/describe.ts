/** Scalar kinds of the shared layouts. `be16` is a port in network order; `address` is 16 bytes, `name` 64. */
export type FieldType = "u8" | "u32" | "u64" | "be16" | "address" | "name";

export interface FieldDescription {
  readonly name: string;
  readonly type: FieldType;
  readonly doc?: string;
}

export interface StructDescription {
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly FieldDescription[];
}

export interface PlacedField extends FieldDescription {
  readonly offset: number;
}

export interface PlacedStruct {
  readonly name: string;
  readonly doc: string;
  readonly fields: readonly PlacedField[];
  /** Bytes of padding after the last field. */
  readonly tail: number;
  readonly size: number;
}

export const sizes: Record<FieldType, { size: number; align: number }> = {
  u8: { size: 1, align: 1 },
  be16: { size: 2, align: 2 },
  u32: { size: 4, align: 4 },
  u64: { size: 8, align: 8 },
  address: { size: 16, align: 4 },
  name: { size: 64, align: 1 },
};

/**
 * Places fields as the C compiler would. A hole between two fields is refused: its bytes would be part of a map
 * key without anybody setting them. Padding at the end is made a named field, for the same reason.
 */
export function place(struct: StructDescription): PlacedStruct {
  let offset = 0;
  let align = 1;
  const fields = struct.fields.map((field) => {
    const { size, align: own } = sizes[field.type];
    const at = Math.ceil(offset / own) * own;
    if (at !== offset) {
      throw new Error(
        `${struct.name}.${field.name}: ${at - offset} bytes of padding before it; reorder the fields`,
      );
    }
    offset = at + size;
    align = Math.max(align, own);
    return { ...field, offset: at };
  });
  const size = Math.ceil(offset / align) * align;
  return { name: struct.name, doc: struct.doc, fields, tail: size - offset, size };
}
