import * as fc from "fast-check";

/** A view whose memory is gone: it was transferred away. */
function detached(): Uint8Array {
  const bytes = new Uint8Array(4);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** A view that lies outside its buffer since that shrank. */
function outOfBounds(): Uint8Array {
  const buffer = new ArrayBuffer(8, { maxByteLength: 8 });
  const bytes = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  return bytes;
}

function refuse(): never {
  throw new Error("touched");
}

/** Options of which each, when it is read, throws. */
function hostile(): object {
  const names = [
    "name",
    "type",
    "flags",
    "address",
    "port",
    "netnsPath",
    "reuse",
    "autoload",
    "repeat",
    "length",
  ];
  return Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, { get: refuse }])));
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.constantFrom(4, 8, 12, 48).map((size) => new Uint8Array(size)),
  fc.constantFrom(4, 12).map((size) => new Uint8Array(new SharedArrayBuffer(size))),
  fc.constantFrom(detached, outOfBounds).map((make) => make()),
  fc.constant(Buffer.from("text")),
);

const numbers = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, -1, 1.5, Number.NaN, Infinity, 2 ** 31, 2 ** 32, 2 ** 53),
);

const callable = fc.constant((): void => undefined);

/** Values of every type that JavaScript has, many of them almost right. */
export const garbage: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: bytes },
  { weight: 2, arbitrary: numbers },
  { weight: 2, arbitrary: fc.string({ unit: "binary" }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "hash",
      "sk_msg",
      "cgroup_inet4_connect",
      "services",
      "count",
      "none0",
      "ingress",
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(undefined, null, true, Symbol("s"), 10n ** 30n) },
  { weight: 1, arbitrary: callable },
  { weight: 1, arbitrary: fc.constant(null).map(hostile) },
  {
    weight: 2,
    arbitrary: fc.anything({
      withBigInt: true,
      withNullPrototype: true,
      withTypedArray: true,
      withSparseArray: true,
    }),
  },
);
