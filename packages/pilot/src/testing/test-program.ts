import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished, vi } from "vitest";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Every port that is not told is left shut or is any free one of loopback. */
const quietFlags: Readonly<Record<string, string>> = {
  grpcAddr: "127.0.0.1:0",
  httpAddr: "127.0.0.1:0",
  monitoringAddr: "127.0.0.1:0",
  monitoringPort: "0",
  secureGRPCAddr: "",
  httpsAddr: "",
};

export interface JsonLine {
  readonly level: string;
  readonly msg: string;
  readonly address?: string;
}

/** `pilot-discovery discovery` as a process of its own, with a folder for its configuration and state. */
export class TestProgram {
  readonly folder = mkdtempSync(join(tmpdir(), "keelson-"));
  readonly log: JsonLine[] = [];
  readonly stderr: Promise<string>;
  /** What it ended with. */
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  /**
   * @param flags name → value, in the place of quiet ones
   * @param environment beside that of the test
   */
  constructor(flags: Readonly<Record<string, string>> = {}, environment: NodeJS.ProcessEnv = {}) {
    writeFileSync(join(this.folder, "empty.yaml"), "");
    const given = { configDir: this.folder, log_as_json: "true", ...quietFlags, ...flags };
    const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
    const { child, stderr, ended } = start(["discovery", ...args], {
      KEELSON_STATE_DIR: join(this.folder, "state"),
      ...environment,
    });
    this.child = child;
    this.stderr = stderr;
    this.ended = ended;
    if (child.stdout !== null) {
      createInterface(child.stdout).on("line", (line) => this.log.push(JSON.parse(line) as JsonLine));
    }
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits for a line of the log that begins so. */
  async line(beginning: string): Promise<JsonLine> {
    return vi.waitUntil(() => this.log.find(({ msg }) => msg.startsWith(beginning)), {
      timeout: 25_000,
      interval: 10,
    });
  }

  /** Where it serves something. @param what as its log says it */
  async address(what: string): Promise<string> {
    const { address } = await this.line(`serving ${what}`);
    if (address === undefined) throw new Error(`the log tells no address of ${what}`);
    return address;
  }

  /** A page of its port 8080. */
  async get(path: string): Promise<{ status: number; body: string }> {
    const response = await fetch(`http://${await this.address("/ready, /metrics, /debug and /v1")}${path}`);
    return { status: response.status, body: await response.text() };
  }
}

/** Runs the program to its end. */
export async function runProgram(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, stderr, ended } = start(args, environment);
  const stdout = child.stdout === null ? "" : await text(child.stdout);
  return { code: await ended, stdout, stderr: await stderr };
}

function start(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): { child: ChildProcess; stderr: Promise<string>; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], ...environment },
  });
  onTestFinished(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { child, stderr: text(child.stderr), ended };
}
