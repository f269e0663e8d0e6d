import { command, commandKind, type PoolKey, settlement } from "@keelson/bpf";
import type { BpfProgram } from "bpf-maps-native";
import { cookieKey } from "../../cookie-key.ts";
import type { Settlement } from "./kernel.ts";

/** What is not said stands for nothing. */
const silent = { cookie: 0n, network: 0n, workload: 0n, endpoint: 0n, isReusable: 0, count: 0 };

const settlements = new Map<number, Settlement>(
  Object.entries(settlement).map(([name, { value }]) => [value, name as Settlement]),
);

/** What only a program can do for the relay: the pinned program `keelson_command`, which is run by hand. */
export class CommandProgram {
  private readonly program: BpfProgram;

  constructor(program: BpfProgram) {
    this.program = program;
  }

  async addLink(link: bigint, pool: PoolKey): Promise<boolean> {
    return (await this.run("addLink", { cookie: link, ...pool })) === 0;
  }

  async takeLink(link: bigint): Promise<boolean> {
    return (await this.run("takeLink", { cookie: link })) === 1;
  }

  async release(link: bigint, isReusable: boolean): Promise<boolean> {
    return (await this.run("release", { cookie: link, isReusable: isReusable ? 1 : 0 })) === 0;
  }

  async settle(caller: bigint): Promise<Settlement> {
    const answer = await this.run("settle", { cookie: caller });
    const found = settlements.get(answer);
    if (found === undefined) throw new Error(`settle of caller ${caller}: the program answered ${answer}`);
    return found;
  }

  async watchLink(link: bigint): Promise<void> {
    await this.run("watchLink", { cookie: link });
  }

  async dropLink(link: bigint): Promise<void> {
    await this.run("dropLink", { cookie: link });
  }

  async dropPool(pool: PoolKey): Promise<void> {
    await this.run("dropPool", pool);
  }

  /** @throws Error if not all of them were left */
  async leave(callers: readonly bigint[]): Promise<void> {
    const answer = await this.run("leave", { count: callers.length }, callers.map(cookieKey));
    if (answer !== 0) throw new Error(`leave of ${callers.length} callers: the program answered ${answer}`);
  }

  private async run(
    kind: keyof typeof commandKind,
    asked: Partial<Parameters<typeof command.encode>[0]>,
    following: readonly Uint8Array[] = [],
  ): Promise<number> {
    const encoded = command.encode({ ...silent, ...asked, kind: commandKind[kind].value });
    const data = Buffer.concat([encoded, ...following]);
    return (await this.program.testRun({ data })).returnValue;
  }
}
