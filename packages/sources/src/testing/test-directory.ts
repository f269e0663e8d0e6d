import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A real directory of its own; removed when disposed of. */
export class TestDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "keelson-"));

  constructor() {
    // So that it can be read without privileges.
    chmodSync(this.path, 0o755);
  }

  at(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string | Uint8Array): string {
    const path = this.at(name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  remove(name: string): void {
    rmSync(this.at(name), { recursive: true });
  }

  /** Makes, or replaces at once, a link. */
  link(name: string, target: string): void {
    symlinkSync(target, this.at(`${name}_tmp`));
    this.rename(`${name}_tmp`, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Runs `body` as a user whom file modes hold back, also where the tests run as root. */
export async function withoutPrivileges<Result>(body: () => Promise<Result>): Promise<Result> {
  const nobody = 65_534;
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(nobody);
  try {
    return await body();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}
