import type { ServicePort } from "@keelson/protos/policy";
import { beingMade, bytesOfTable, type MatchTable, type TableState, type Unfit } from "./match-table.ts";
import type { MatchTableMaker } from "./match-table-maker.ts";

/**
 * What match tables of a node may take of the kernel's memory together; for a moment, while one version follows another, it may
 * be more. The smallest ones would be 3,072, and maps have room for 4,096.
 */
const mostTableBytes = 192 * 2 ** 20;

/** Gives tables to ports as long as there is room for them; who came first has it. */
export class TableRoom {
  private readonly maker: MatchTableMaker;
  private readonly most: number;
  private readonly held = new Set<bigint>();
  private used = 0;

  /** @param held tables that are in use, and stay */
  constructor(maker: MatchTableMaker, held: Iterable<MatchTable>, most = mostTableBytes) {
    this.maker = maker;
    this.most = most;
    for (const table of held) this.hold(table);
  }

  tableOf(port: ServicePort): TableState {
    const smallest = bytesOfTable("small");
    // Tables that cannot come in are not made: it takes time.
    const table = this.maker.known(port) ?? (this.hasRoom(smallest) ? this.maker.tableOf(port) : undefined);
    if (table === undefined) return this.noRoomFor(smallest);
    if (table === beingMade || "unfit" in table) return table;
    const needed = this.held.has(table.id) ? 0 : bytesOfTable(table.size);
    if (!this.hasRoom(needed)) return this.noRoomFor(needed);
    this.hold(table);
    return table;
  }

  private hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.most;
  }

  private noRoomFor(bytes: number): Unfit {
    const [need, have] = [bytes, this.most].map((each) => each / 2 ** 20);
    return { unfit: `its match table needs ${need} MiB, and those of this node may take ${have} together` };
  }

  private hold({ id, size }: MatchTable): void {
    if (this.held.has(id)) return;
    this.held.add(id);
    this.used += bytesOfTable(size);
  }
}
