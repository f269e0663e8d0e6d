import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMirrors, parsePackage, sourcesFor } from "./apt.ts";
import { type GuestFile, parentDirectories, writeCpio } from "./cpio.ts";
import { exec } from "./exec.ts";
import { seriesOf } from "./fetch-kernel.ts";
import { commandScript, shellQuote } from "./guest-init.ts";
import { GuestOutput } from "./guest-output.ts";
import { parseLdd } from "./host-tools.ts";
import { compareSeries } from "./kernel-cache.ts";
import { consoleLines, findComplaints, findPanic } from "./kernel-log.ts";
import { formatTable } from "./matrix.ts";
import { insertionOrder, moduleName, parseModulesDep } from "./modules.ts";

describe("modules.dep", () => {
  const text = [
    "kernel/net/802/stp.ko.xz: kernel/net/llc/llc.ko.xz",
    "kernel/net/bridge/bridge.ko.xz: kernel/net/802/stp.ko.xz kernel/net/llc/llc.ko.xz",
    "kernel/net/llc/llc.ko.xz:",
    "kernel/crypto/chacha-x86_64.ko.xz:",
    "",
  ].join("\n");

  it("orders modules after all they depend on, each once", () => {
    expect(insertionOrder(parseModulesDep(text), ["bridge", "stp"]).map(moduleName)).toEqual([
      "llc",
      "stp",
      "bridge",
    ]);
  });

  it("finds a module by the name the kernel gives it", () => {
    const order = insertionOrder(parseModulesDep(text), ["chacha_x86_64"]);
    expect(order).toEqual(["kernel/crypto/chacha-x86_64.ko.xz"]);
  });

  it("needs no file for what is built in, and names what is missing", () => {
    expect(insertionOrder(parseModulesDep(text), ["ipv6"], new Set(["ipv6"]))).toEqual([]);
    expect(() => insertionOrder(parseModulesDep(text), ["ipv6"])).toThrow(
      "ipv6 is neither in modules.dep nor built in",
    );
  });

  it("refuses a circle", () => {
    const circle = parseModulesDep("a.ko: b.ko\nb.ko: a.ko\n");
    expect(() => insertionOrder(circle, ["a"])).toThrow("a.ko depends on itself");
  });

  it("puts dependencies first in any graph", () => {
    const graph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(graph, (edges) => {
        // Each module depends on some of those before it: a graph without circles.
        const lists = edges.map((targets, i) => (i === 0 ? [] : targets.map((t) => `m${t % i}.ko`)));
        const dependencies = new Map(lists.map((list, i) => [`m${i}.ko`, list]));
        const order = insertionOrder(dependencies, [`m${edges.length - 1}`]);
        for (const [at, path] of order.entries())
          for (const dependency of dependencies.get(path) ?? [])
            expect(order.slice(0, at)).toContain(dependency);
        expect(new Set(order).size).toBe(order.length);
      }),
    );
  });
});

/** What the kernel would unpack, read as Documentation/driver-api/early-userspace/buffer-format.rst has it. */
function unpack(
  image: Buffer,
): { path: string; mode: number; links: number; device: number[]; data: Buffer }[] {
  const found = [];
  let at = 0;
  while (at < image.length) {
    if (image[at] === 0) {
      at += 4;
      continue;
    }
    const start = at;
    expect(start % 4).toBe(0);
    expect(image.toString("ascii", at, at + 6)).toBe("070701");
    const field = (n: number) =>
      Number.parseInt(image.toString("ascii", start + 6 + 8 * n, start + 14 + 8 * n), 16);
    const path = image.toString("utf8", start + 110, start + 110 + field(11) - 1);
    const dataStart = Math.ceil((start + 110 + field(11)) / 4) * 4;
    const data = image.subarray(dataStart, dataStart + field(6));
    at = Math.ceil((dataStart + field(6)) / 4) * 4;
    if (path === "TRAILER!!!") continue;
    found.push({ path, mode: field(1), links: field(4), device: [field(9), field(10)], data });
  }
  return found;
}

async function writeAndRead(files: readonly GuestFile[], options?: { console: boolean }): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "keelson-cpio-"));
  try {
    await writeCpio(join(directory, "image"), files, options);
    return await readFile(join(directory, "image"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("cpio", () => {
  it("lists parents before their files", () => {
    expect(parentDirectories(["/a/b/c", "/a/d", "/e"])).toEqual(["/a", "/a/b"]);
  });

  it("writes directories, files, links and the console device", async () => {
    const files: GuestFile[] = [
      { path: "/bin/tool", content: "odd", mode: 0o755 },
      { path: "/bin/sh", link: "tool" },
    ];
    const entries = unpack(await writeAndRead(files, { console: true }));
    const modes = entries.map((e) => [e.path, e.mode.toString(8)]);
    expect(modes).toEqual([
      ["bin", "40755"],
      ["dev", "40755"],
      ["dev/console", "20600"],
      ["bin/tool", "100755"],
      ["bin/sh", "120777"],
    ]);
    expect(entries[2]?.device).toEqual([5, 1]);
    expect(entries[4]?.data.toString()).toBe("tool");
  });

  it("gives back any names and contents, also from archives written one after another", async () => {
    const name = fc.stringMatching(/^[a-zé]{1,12}$/);
    const content = fc.uint8Array({ maxLength: 600 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, content), fc.dictionary(name, content), async (first, second) => {
        const files = [first, second].map((set) =>
          Object.entries(set).map(([path, bytes]) => ({ path: `/${path}`, content: bytes })),
        );
        const images = await Promise.all(files.map((set) => writeAndRead(set)));
        for (const image of images) expect(image.length % 512).toBe(0);
        const unpacked = unpack(Buffer.concat(images)).map((e) => [`/${e.path}`, [...e.data]]);
        expect(unpacked).toEqual(files.flat().map((f) => [f.path, [...f.content]]));
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the last of several files with one path", async () => {
    const files = ["old", "new"].map((content) => ({ path: "/etc/x", content }));
    const entries = unpack(await writeAndRead(files)).filter((e) => e.path === "etc/x");
    expect(entries.map((e) => e.data.toString())).toEqual(["new"]);
  });
});

function read(pieces: readonly string[]) {
  let text = "";
  const output = new GuestOutput("t0", (piece) => {
    text += piece;
  });
  for (const piece of pieces) output.push(piece);
  return { text, report: output.report };
}

describe("the guest's output", () => {
  const start = "@@keelson-start t0 4.25 Linux guest 6.1.0\n";

  it("tells uname, boot time, exit code and the command's text", () => {
    expect(read([`firmware\n${start}one\n\n@@keelson-exit t0 7 9.5\n`])).toEqual({
      text: "one\n",
      report: { uname: "Linux guest 6.1.0", bootSeconds: 4.25, exitCode: 7, endSeconds: 9.5 },
    });
  });

  it("takes no line with another token for a marker", () => {
    const { text, report } = read([`${start}@@keelson-exit other 0 1\n`, "more\n\n@@keelson-exit t0 1 2\n"]);
    expect(text).toBe("@@keelson-exit other 0 1\nmore\n");
    expect(report.exitCode).toBe(1);
  });

  it("hands on an open line before its end comes", () => {
    expect(read([start, "50 %"]).text).toBe("50 %");
  });

  it("gives back any text exactly, however it is cut", () => {
    const text = fc
      .array(fc.constantFrom("a", "\n", "@@keelson", "-exit", " ", "@"))
      .map((parts) => parts.join(""));
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(text, cuts, (written, lengths) => {
        const stream = `${start}${written}\n@@keelson-exit t0 0 9\n`;
        const pieces: string[] = [];
        for (let at = 0; at < stream.length; at += pieces.at(-1)?.length ?? 0)
          pieces.push(stream.slice(at, at + (lengths.next().value ?? 1)));
        expect(read(pieces)).toEqual({ text: written, report: expect.objectContaining({ exitCode: 0 }) });
      }),
    );
  });
});

describe("the kernel's console", () => {
  const log = [
    "\u001bc\u001b[?7l\u001b[2J[    0.1] Linux version 6.1.0\r",
    "[    0.2] mtrr: your CPUs had inconsistent fixed MTRR settings\r",
    "[    5.0] WARNING: CPU: 1 PID: 77 at net/core/sock_map.c:1 sock_map_close+0x1/0x2\r",
    "[    5.0] Modules linked in: veth\r",
    "[    5.0] RIP: 0010:sock_map_close+0x1/0x2\r",
    "[    5.0] RIP: 0033:0x47b7a0\r",
    "[   30.0] rcu: INFO: rcu_preempt self-detected stall on CPU\r",
    "[   31.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000b00\r",
  ].join("\n");

  it("finds complaints with the place they come from, and nothing else", () => {
    expect(findComplaints(log)).toEqual([
      "[    5.0] WARNING: CPU: 1 PID: 77 at net/core/sock_map.c:1 sock_map_close+0x1/0x2",
      "[    5.0] RIP: 0010:sock_map_close+0x1/0x2",
      "[   30.0] rcu: INFO: rcu_preempt self-detected stall on CPU",
      "[   31.0] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000b00",
    ]);
  });

  it("tells a panic's reason", () => {
    expect(findPanic(log)).toBe("Attempted to kill init! exitcode=0x00000b00");
    expect(findPanic("[ 1.0] all is well")).toBeUndefined();
  });

  it("drops the firmware's escape sequences", () => {
    expect(consoleLines(log)[0]).toBe("[    0.1] Linux version 6.1.0");
  });
});

describe("the command", () => {
  it("reaches the shell word by word", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme-ascii" }), async (word) => {
        expect(await exec("sh", ["-c", `printf %s ${shellQuote(word)}`])).toBe(word);
      }),
      { numRuns: 25 },
    );
  });

  it("must not be empty", () => {
    expect(commandScript(["node", "it's.ts"])).toBe(`exec 'node' 'it'\\''s.ts'\n`);
    expect(() => commandScript([])).toThrow("the command for the guest is empty");
  });
});

describe("kernel packages", () => {
  it("come from the mirrors the machine uses already", () => {
    const targets = [
      "Translations|Debian|main|http://mirror.test/other/",
      "Packages|Thirdparty|main|http://third.test/",
      "Packages|Debian|main|http://mirror.test/debian/",
      "Packages|Debian-Security|main|http://mirror.test/security/",
    ].join("\n");
    const mirrors = { main: "http://mirror.test/debian/", security: "http://mirror.test/security/" };
    expect(parseMirrors(targets)).toEqual(mirrors);
    expect(parseMirrors("Packages|Thirdparty|main|http://third.test/")).toBeUndefined();
    expect(sourcesFor("trixie", mirrors)).toContain("Suites: trixie-security");
    expect(sourcesFor("sid", mirrors)).not.toContain("security");
    expect(sourcesFor("sid", mirrors)).toContain("Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg");
  });

  it("are followed through their dependencies", () => {
    const stanza =
      "Package: linux-image-x\nVersion: 7.2.13-1\nDepends: dracut | tools (>= 1), linux-modules-x (= 7.2.13-1)\n";
    expect(parsePackage(stanza)).toEqual({
      name: "linux-image-x",
      version: "7.2.13-1",
      depends: ["dracut", "linux-modules-x"],
    });
    expect(() => parsePackage("N: nothing")).toThrow("no Package and Version");
  });

  it("have a series, ordered by number", () => {
    expect(seriesOf("6.12.117-1")).toBe("6.12");
    expect(["7.2", "6.12", "6.1"].sort(compareSeries)).toEqual(["6.1", "6.12", "7.2"]);
  });
});

describe("shared libraries", () => {
  it("are read from ldd's list", () => {
    const listing = [
      "\tlinux-vdso.so.1 (0x00007fc7e4e49000)",
      "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007fc7e4b20000)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007fc7e4e4b000)",
    ].join("\n");
    expect(parseLdd(listing, "node")).toEqual([
      "/lib/x86_64-linux-gnu/libm.so.6",
      "/lib64/ld-linux-x86-64.so.2",
    ]);
  });

  it("that are missing are named", () => {
    expect(() => parseLdd("\tlibbpf.so.1 => not found", "addon.node")).toThrow(
      "addon.node needs the shared library libbpf.so.1",
    );
  });
});

describe("the table", () => {
  it("shows release, result and times", () => {
    const uname =
      "Linux keelson-guest 6.1.0-42-cloud-amd64 #1 SMP Debian 6.1.176-1 (2026-01-01) x86_64 GNU/Linux";
    const result = {
      exitCode: 0,
      output: "",
      uname,
      kernelComplaints: [],
      bootSeconds: 4.5,
      totalSeconds: 6,
    };
    const table = formatTable([
      { kernel: "6.1", passed: true, summary: "ok", seconds: 8.04, result },
      { kernel: "6.12", passed: false, summary: "kernel panic", seconds: 2 },
    ]);
    expect(table.split("\n")).toEqual([
      "kernel  uname                                   result        boot s  total s",
      "6.1     6.1.0-42-cloud-amd64, Debian 6.1.176-1  ok            4.5     8.0",
      "6.12    -                                       kernel panic  -       2.0",
    ]);
  });
});
