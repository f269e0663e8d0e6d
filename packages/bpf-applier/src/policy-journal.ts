import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type SavedUpdate, SavedUpdateSchema } from "@keelson/protos/state";

export type JournalUpdate = MessageInitShape<typeof SavedUpdateSchema>;

/** Before each record: its length and its CRC-32, little endian, 4 bytes each. */
const headBytes = 8;

/** Below this size nothing is gained by writing the journal anew. */
const smallBytes = 1024 * 1024;

export interface JournalContent {
  readonly updates: readonly SavedUpdate[];
  /** Bytes at the end that are no whole record: the machine went down while they were written. */
  readonly damagedBytes: number;
}

/**
 * The policy on disk, so that an applier that starts begins where the maps are, and a node that boots while the control
 * plane is away has a policy. Updates are appended before they go live; the file is written anew, beside and renamed,
 * when it has grown to twice what its content needs.
 */
export class PolicyJournal {
  readonly path: string;
  private file: FileHandle | undefined;
  private size = 0;
  /** What the content took when it was last written as a whole. */
  private baseSize = 0;
  private unsynced = false;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads what an earlier process left; what is damaged at the end is cut off by the next append. */
  async open(): Promise<JournalContent> {
    await this.makeFolder();
    this.file = await open(this.path, "a+", 0o600);
    const bytes = await this.file.readFile();
    const { updates, length } = decodeRecords(bytes);
    this.size = length;
    this.baseSize = length;
    if (length < bytes.length) await this.file.truncate(length);
    return { updates, damagedBytes: bytes.length - length };
  }

  /**
   * Writes an update after all others. It survives the end of this process at once, that of the machine after `sync`.
   * @returns what takes it back.
   * @throws Error if it cannot be written; the file is then as before.
   */
  async append(update: JournalUpdate): Promise<() => Promise<void>> {
    const file = this.opened();
    const before = this.size;
    const undo = async (): Promise<void> => {
      await file.truncate(before);
      this.size = before;
    };
    const record = encodeRecord(update);
    try {
      await file.appendFile(record);
    } catch (error) {
      await undo();
      throw error;
    }
    this.size += record.length;
    this.unsynced = true;
    return undo;
  }

  /** Whether the file is much larger than its content. */
  get isGrown(): boolean {
    return this.size > smallBytes && this.size > 2 * this.baseSize;
  }

  /** Puts the whole content into a new file, also where none could be opened. A crash or a full disk leaves the old one whole. */
  async rewrite(updates: readonly JournalUpdate[]): Promise<void> {
    const bytes = Buffer.concat(updates.map(encodeRecord));
    const beside = `${this.path}.new`;
    await this.makeFolder();
    try {
      await writeDurably(beside, bytes);
      await rename(beside, this.path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
    await this.file?.close();
    this.file = await open(this.path, "a+", 0o600);
    this.size = bytes.length;
    this.baseSize = bytes.length;
    this.unsynced = false;
  }

  async sync(): Promise<void> {
    if (!this.unsynced) return;
    this.unsynced = false;
    await this.opened().datasync();
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }

  private async makeFolder(): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
  }

  private opened(): FileHandle {
    if (this.file === undefined) throw new Error(`${this.path} is not open`);
    return this.file;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "w+", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

function encodeRecord(update: JournalUpdate): Buffer {
  const body = toBinary(SavedUpdateSchema, create(SavedUpdateSchema, update));
  const record = Buffer.alloc(headBytes + body.length);
  record.writeUInt32LE(body.length, 0);
  record.writeUInt32LE(crc32(body), 4);
  record.set(body, headBytes);
  return record;
}

/** @returns the records up to the first that is not whole, and the bytes they take. */
function decodeRecords(bytes: Buffer): { updates: SavedUpdate[]; length: number } {
  const updates: SavedUpdate[] = [];
  let at = 0;
  while (at + headBytes <= bytes.length) {
    const end = at + headBytes + bytes.readUInt32LE(at);
    const body = bytes.subarray(at + headBytes, end);
    if (end > bytes.length || crc32(body) !== bytes.readUInt32LE(at + 4)) break;
    updates.push(fromBinary(SavedUpdateSchema, body));
    at = end;
  }
  return { updates, length: at };
}
