/** A C type as BTF describes it, as far as keys and values of maps need it. Sizes and offsets in bytes. */
export type Layout = IntLayout | StructLayout | ArrayLayout | BytesLayout;

/** Integers and enums of 1, 2, 4 or 8 bytes in the machine's byte order; `bool` of one byte. */
export interface IntLayout {
  kind: "int" | "bool";
  name: string;
  size: number;
  signed: boolean;
}

export interface StructLayout {
  kind: "struct";
  name: string;
  size: number;
  members: StructMember[];
}

export interface StructMember {
  name: string;
  bitOffset: number;
  /** Above 0 for a bit-field. */
  bitSize: number;
  layout: Layout;
}

export interface ArrayLayout {
  kind: "array";
  name: string;
  size: number;
  length: number;
  element: Layout;
}

/** Whatever is neither of the above (unions, pointers, floats): raw bytes. */
export interface BytesLayout {
  kind: "bytes";
  name: string;
  size: number;
}

/** Key and value of a map; queues have no key. */
export interface MapLayout {
  key?: Layout;
  value: Layout;
}
