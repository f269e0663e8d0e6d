/** The kernel copies each CPU's value rounded up to this. */
const rounding = 8;

function stride(valueSize: number): number {
  return Math.ceil(valueSize / rounding) * rounding;
}

/** Cuts a row of rounded values into one value per possible CPU. */
export function splitPerCpu(row: Uint8Array, valueSize: number, cpus: number): Uint8Array[] {
  const step = stride(valueSize);
  if (row.byteLength !== step * cpus) {
    throw new RangeError(`not per-CPU values: ${String(row.byteLength)} bytes for ${String(cpus)} CPUs`);
  }
  return Array.from({ length: cpus }, (_, cpu) => row.subarray(cpu * step, cpu * step + valueSize));
}

/** The row that the kernel reads from one value per possible CPU. */
export function joinPerCpu(
  values: Uint8Array[],
  info: { name: string; valueSize: number },
  cpus: number,
): Uint8Array {
  if (values.length !== cpus || values.some((value) => value.byteLength !== info.valueSize)) {
    throw new RangeError(
      `map ${info.name} takes ${String(cpus)} values of ${String(info.valueSize)} bytes, ` +
        `found ${String(values.length)} of ${values.map((value) => String(value.byteLength)).join(", ")}`,
    );
  }
  const row = new Uint8Array(stride(info.valueSize) * cpus);
  for (const [cpu, value] of values.entries()) row.set(value, cpu * stride(info.valueSize));
  return row;
}
