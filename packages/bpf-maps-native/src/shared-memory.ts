import { native } from "./native.ts";

/**
 * A descriptor of memory that stays as its writers left it, however they end; zeros at first. Whoever asked closes it.
 *
 * @param bytes at most 2^32-1; those that nobody touches take no room
 */
export function makeSharedMemory(name: string, bytes: number): number {
  return native.makeMemory(name, bytes);
}

/** The memory of a descriptor, which may be closed afterwards. @param bytes at most the memory's own */
export function mapSharedMemory(fd: number, bytes: number): ArrayBuffer {
  return native.mapMemory(fd, bytes);
}
