// Run inside a guest: tells what it offers, one line each, and ends with 1 if something Keelson needs is missing.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { release } from "node:os";
import { BpfObject } from "bpf-maps-native";

const cgroup = "/sys/fs/cgroup/keelson-check";
/** TEST-NET-1, RFC 5737: no route leads there, so only a rewritten connect can succeed. */
const dialledAddress = "192.0.2.1";

/** Returns what it found; throws what is missing. */
type Check = () => string | Promise<string>;

const checks: Record<string, Check> = {
  node: () => process.version,
  kernel: () => release(),
  BTF: readBtf,
  "cgroup v2": makeCgroup,
  bpffs: () => findMount("/sys/fs/bpf", "bpf"),
  "namespaces, veth, bridge": () => pingThroughBridge(),
  clsact: () =>
    shell("ip link add keelson-clsact type dummy && tc qdisc add dev keelson-clsact clsact && echo added"),
  "cgroup/connect4": rewriteConnect,
};

function readBtf(): string {
  const btf = readFileSync("/sys/kernel/btf/vmlinux");
  // struct btf_header begins with this magic in the machine's byte order (include/uapi/linux/btf.h).
  if (btf.readUInt16LE(0) !== 0xeb9f)
    throw new Error(`magic 0x${btf.readUInt16LE(0).toString(16)}, not 0xeb9f`);
  return `${btf.length} bytes`;
}

function makeCgroup(): string {
  const mount = findMount("/sys/fs/cgroup", "cgroup2");
  mkdirSync(cgroup);
  return `${mount}, controllers: ${readFileSync("/sys/fs/cgroup/cgroup.controllers", "utf8").trim()}`;
}

function findMount(directory: string, type: string): string {
  const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
  if (!mounts.some((line) => line.split(" ")[1] === directory && line.split(" ")[2] === type))
    throw new Error(`no ${type} mounted at ${directory}`);
  return `mounted at ${directory}`;
}

/** Two namespaces on one bridge, over IPv4 and IPv6. */
function pingThroughBridge(): string {
  shell("ip link add keelson-br type bridge && ip link set keelson-br up");
  for (const n of [1, 2]) {
    shell(
      `ip netns add keelson-${n} && ip link add keelson-v${n} type veth peer name eth0 netns keelson-${n}`,
    );
    shell(`ip link set keelson-v${n} master keelson-br up && ip -n keelson-${n} link set eth0 up`);
    shell(`ip -n keelson-${n} address add 10.99.0.${n}/24 dev eth0`);
    shell(`ip -n keelson-${n} address add fd99::${n}/64 dev eth0 nodad`);
  }
  shell("ip netns exec keelson-1 ping -c 1 -W 5 10.99.0.2 && ip netns exec keelson-1 ping -c 1 -W 5 fd99::2");
  return "ping over IPv4 and IPv6";
}

async function rewriteConnect(): Promise<string> {
  const server = createServer((socket) => socket.end("rewritten"));
  const port = await listen(server);
  const object = await BpfObject.open(`${import.meta.dirname}/check.bpf.o`);
  object.setReadOnlyData("dialled_address", 0xc0000201);
  object.setReadOnlyData("listening_port", port);
  await object.load();
  const program = object.program("check_connect4");
  writeFileSync(`${cgroup}/cgroup.procs`, `${process.pid}`);
  const link = await program.attachCgroup(cgroup);
  const answer = await readAll();
  link.close();
  program.close();
  object.close();
  server.close();
  if (answer !== "rewritten") throw new Error(`a server on another address answered "${answer}"`);
  return `connect to ${dialledAddress}:80 reached 127.0.0.1:${port}`;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function readAll(): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ host: dialledAddress, port: 80, timeout: 5000 });
    socket.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    socket.on("end", () => resolve(text)).on("error", reject);
    socket.on("timeout", () => socket.destroy(new Error("connect timed out")));
  });
}

function shell(script: string): string {
  return execFileSync("sh", ["-c", script], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

async function main(): Promise<number> {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      console.log(`ok      ${name}: ${await check()}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
