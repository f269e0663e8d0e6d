import type { NativeHandle } from "./native.ts";

/** The addon's handles of what users hold, so that the public classes need not show them. */
const handles = new WeakMap<object, NativeHandle>();

export function keepHandle(owner: object, handle: NativeHandle): void {
  handles.set(owner, handle);
}

/** The handle of a map or program. Throws a TypeError for anything else. */
export function handleOf(owner: object): NativeHandle {
  const handle = handles.get(owner);
  if (handle === undefined)
    throw new TypeError(`expected a BpfMap or BpfProgram of this package, found ${typeof owner}`);
  return handle;
}
