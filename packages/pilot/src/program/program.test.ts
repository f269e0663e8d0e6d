import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { discoveryEnvironment } from "../settings/environment/environment.ts";
import { discoveryFlags } from "../settings/flags/flags.ts";
import { parseFlags } from "../settings/parse-flags.ts";
import { buildInfo } from "../version.ts";
import type { Command } from "./command.ts";
import { completionScript } from "./completion.ts";
import { commands, run } from "./program.ts";
import { requestCommand } from "./request.ts";

interface Finished {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

async function finish(
  job: (out: (text: string) => void, err: (text: string) => void) => Promise<number | undefined>,
) {
  const said = { out: "", err: "" };
  const code = await job(
    (text) => {
      said.out += text;
    },
    (text) => {
      said.err += text;
    },
  );
  return { code, ...said };
}

const pilot = (...args: string[]): Promise<Finished> =>
  finish((out, err) => run(args, { environment: {}, out, err }));

test("without a command, and with --help, it lists its commands", async () => {
  const { code, out, err } = await pilot();
  expect([code, err]).toEqual([0, ""]);
  for (const { name, summary } of commands)
    expect(out).toMatch(new RegExp(`^  ${name} +${summary.replaceAll(".", "\\.")}$`, "m"));
  expect(await pilot("--help")).toEqual({ code, out, err });
});

test.each(commands.map(({ name }) => name))("%s --help shows its flags and examples", async (name) => {
  const { code, out, err } = await pilot(name, "--help");
  expect([code, err]).toEqual([0, ""]);
  const command = commands.find((each) => each.name === name);
  for (const table of Object.values(command?.flagGroups ?? {}))
    for (const flag of Object.keys(table)) expect(out).toMatch(new RegExp(`--${flag}\\b`));
  for (const example of command?.examples ?? []) expect(out).toContain(example);
  expect(out.split("\n").filter((line) => line.length > 110)).toEqual([]);
});

test("an unknown command is an error, with a suggestion", async () => {
  expect(await pilot("verson")).toEqual({
    code: 255,
    out: "",
    err: 'pilot-discovery: unknown command "verson"; did you mean version?\npilot-discovery COMMAND --help shows how it is used\n',
  });
});

test("version", async () => {
  const { version, revision, status } = buildInfo;
  expect((await pilot("version")).out).toBe(
    `${version} (revision ${revision}, ${status}, ${buildInfo.golang_version})\n`,
  );
  expect((await pilot("version", "-s")).out).toBe(`${version}\n`);
  expect((await pilot("--short", "version")).out).toBe(`${version}\n`);
  expect(JSON.parse((await pilot("version", "-o", "json")).out)).toEqual({ clientVersion: buildInfo });
  expect((await pilot("version", "--output=yaml")).out).toContain(`\n  revision: "${revision}"\n`);
  expect(await pilot("version", "-o", "xml")).toMatchObject({
    code: 255,
    err: expect.stringContaining('--output: "xml" is neither json nor yaml'),
  });
});

test("an unknown flag is ignored with a warning, a wrong one or one argument too many is not", async () => {
  expect(await pilot("version", "--shrt", "-s")).toEqual({
    code: 0,
    out: `${buildInfo.version}\n`,
    err: "pilot-discovery: --shrt: unknown flag; did you mean --short?; ignored\n",
  });
  expect(await pilot("version", "--short=x")).toMatchObject({ code: 255, out: "" });
  expect(await pilot("version", "now")).toMatchObject({ code: 255, out: "" });
});

async function request(
  respond: (method: string, url: string, body: string) => [number, string],
  args: string[],
) {
  const server = createServer((message, response) => {
    let body = "";
    message.on("data", (chunk: Buffer) => (body += chunk.toString()));
    message.on("end", () => {
      const [status, text] = respond(message.method ?? "", message.url ?? "", body);
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return finish((out, err) => runOne(requestCommand(`127.0.0.1:${port}`), args, { out, err }));
}

async function runOne(
  command: Command,
  args: string[],
  { out, err }: { out: (text: string) => void; err: (text: string) => void },
): Promise<number | undefined> {
  const parsed = parseFlags(args, {});
  return command.run({ raw: args, parsed }, { environment: {}, out, err });
}

test("request asks the control plane of the machine", async () => {
  const echo = (method: string, url: string, body: string): [number, string] => [
    200,
    `${method} ${url} ${body}`,
  ];
  expect(await request(echo, ["get", "debug/syncz?pretty"])).toMatchObject({
    code: 0,
    out: "GET /debug/syncz?pretty \n",
  });
  expect(await request(echo, ["POST", "/x", "body"])).toMatchObject({ code: 0, out: "POST /x body\n" });
  expect(await request(() => [404, "nothing"], ["GET", "/x"])).toMatchObject({ code: 0, out: "nothing\n" });
  await expect(request(() => [503, "not yet\n"], ["GET", "/x"])).rejects.toThrow(/\/x answers 503: not yet$/);
  await expect(request(echo, ["GET"])).rejects.toThrow(
    "1 arguments are given; it is used as pilot-discovery request METHOD PATH [BODY]",
  );
  await expect(
    runOne(requestCommand("127.0.0.1:1"), ["GET", "/x"], { out: () => {}, err: () => {} }),
  ).rejects.toThrow(/^cannot ask http:\/\/127\.0\.0\.1:1\/x: /);
});

/** What bash offers for the last of these words. */
function complete(...words: string[]): string[] {
  const script = `${completionScript("bash", commands)}
COMP_WORDS=(pilot-discovery ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}
_pilot_discovery
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).split("\n").filter(Boolean);
}

test("bash completes commands, flags and operands", () => {
  expect(complete("")).toEqual(commands.map(({ name }) => name));
  expect(complete("di")).toEqual(["discovery"]);
  expect(complete("discovery", "--grpc")).toEqual(["--grpcAddr"]);
  expect(complete("discovery", "--grpcAddr", ":1", "--keepaliveT")).toEqual(["--keepaliveTimeout"]);
  expect(complete("completion", "z")).toEqual(["zsh"]);
  expect(complete("version", "--grpc")).toEqual([]);
});

test.each(["zsh", "fish"])("%s is told every flag", async (shell) => {
  const { code, out } = await pilot("completion", shell);
  expect(code).toBe(0);
  for (const flag of Object.keys(discoveryFlags)) {
    expect(out).toMatch(new RegExp(shell === "zsh" ? `'--${flag}[=[]` : ` -l ${flag} `));
  }
});

test("a shell that is not known is an error", async () => {
  expect(await pilot("completion", "csh")).toMatchObject({
    code: 255,
    err: expect.stringContaining('"csh" is none of the shells that are known: bash, zsh, fish'),
  });
});

test("collateral writes a page about every flag and variable, and completion scripts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(await pilot("collateral", "-o", join(folder, "one"))).toMatchObject({ code: 0, err: "" });
  expect(readdirSync(join(folder, "one"))).toEqual(["pilot-discovery.md"]);
  const page = readFileSync(join(folder, "one", "pilot-discovery.md"), "utf8");
  for (const flag of Object.keys(discoveryFlags)) expect(page).toContain(`| \`--${flag}\` |`);
  for (const variable of Object.keys(discoveryEnvironment)) expect(page).toContain(`| \`${variable}\` |`);
  await pilot("collateral", "--all", "-o", join(folder, "all"));
  expect(readdirSync(join(folder, "all")).sort()).toEqual([
    "_pilot-discovery",
    "pilot-discovery.bash",
    "pilot-discovery.md",
  ]);
});
