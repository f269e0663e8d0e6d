import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { application } from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import { Backoff, DeltaXdsClient } from "@keelson/xds";
import { expect, onTestFinished, test, vi } from "vitest";
import { runProgram, TestProgram } from "../testing/test-program.ts";

/** A port that somebody else has. */
async function takenPort(): Promise<{ port: number; free: () => void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const free = (): void => void server.close();
  onTestFinished(free);
  return { port: (server.address() as AddressInfo).port, free };
}

/** What a node hears over xDS in the clear. */
function follow(address: string): { states: string[]; services: string[] } {
  const heard = { states: [] as string[], services: [] as string[] };
  const client = new DeltaXdsClient({
    address,
    credentials: grpc.credentials.createInsecure(),
    node: { id: "node", metadata: { NODE_NAME: "node-a" } },
    typeUrls: [policyTypeUrls.service],
    backoff: new Backoff(5, 50),
    onUpdate: async ({ added }) => {
      heard.services.push(...added.map(({ name }) => name));
    },
    onState: (state) => heard.states.push(JSON.stringify(state)),
  });
  client.start();
  onTestFinished(() => client.close());
  return heard;
}

const patience = { timeout: 20_000, interval: 5 };
const applicationFile = application()
  .map((object) => `---\n${JSON.stringify(object)}\n`)
  .join("");

test("a port that is taken is named in the log and in /ready, and the rest goes on until it is free", async () => {
  const { port, free } = await takenPort();
  const program = new TestProgram({ monitoringAddr: `127.0.0.1:${port}` });
  const why = `cannot listen on 127.0.0.1:${port}: address already in use (EADDRINUSE)`;
  await program.line("ready");
  expect(await program.line(why)).toEqual(
    expect.objectContaining({
      level: "error",
      msg: `${why}, so /metrics, /version and /debug are not served there; it is tried again, and --monitoringAddr chooses another address`,
    }),
  );
  const { status, body } = await program.get("/ready");
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({
    ready: true,
    waiting: {},
    problems: { [`port ${port}`]: `${why}; --monitoringAddr chooses another` },
  });
  expect((await program.get("/metrics")).body).toContain(`keelson_problem{part="port ${port}"} 1`);
  free();
  await vi.waitFor(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(await answer.text()).not.toContain(`part="port ${port}"`);
  }, patience);
});

test("without the port of xDS it does not start", async () => {
  const { port } = await takenPort();
  const program = new TestProgram({ grpcAddr: `127.0.0.1:${port}` });
  const why = `cannot listen on 127.0.0.1:${port}: address already in use (EADDRINUSE)`;
  expect(await program.ended).toBe(255);
  expect(await program.stderr).toBe(`pilot-discovery: ${why}\n`);
  expect(program.log).toContainEqual(expect.objectContaining({ level: "fatal", msg: why }));
});

test("what is unknown, wrong or without meaning is said once", async () => {
  const flags = { gprcAddr: ":1", resync: "1m", v: "2" };
  const program = new TestProgram(flags, { PILOT_THROTTLE: "200", XDS_AUTH: "sometimes" });
  await program.line("ready");
  const said = program.log.slice(1, 4).map(({ level, msg }) => `${level} ${msg}`);
  expect(said).toEqual([
    "warn --gprcAddr: unknown flag; did you mean --grpcAddr?; ignored",
    'warn XDS_AUTH: "sometimes" is neither true nor false; true is used',
    "info accepted, though without meaning here: --resync, --v, PILOT_THROTTLE",
  ]);
});

test.each([
  [
    ["--configDir=x", "--gprcAddr", "x", "--strict-flags"],
    "--gprcAddr: unknown flag; did you mean --grpcAddr?",
  ],
  [["--configDir=x", "--monitoringPort=x"], '--monitoringPort: "x" is no whole number'],
  [
    [],
    "there is nothing to read: neither --configDir nor --kubeconfig is given, and the program does not run in a cluster",
  ],
  [["--configDir=/nowhere", "--grpcAddr=127.0.0.1:0"], "cannot read the configuration in /nowhere: ENOENT"],
])("%j ends it with 255", async (args, why) => {
  const off = [
    "--httpAddr=127.0.0.1:0",
    "--monitoringAddr=",
    "--monitoringPort=0",
    "--secureGRPCAddr=",
    "--httpsAddr=",
  ];
  const { code, stderr } = await runProgram(["discovery", ...off, ...args]);
  expect(stderr).toContain(`pilot-discovery: ${why}`);
  expect(code).toBe(255);
});

test("it ends in order: streams are told to go elsewhere, and then it is over", async () => {
  const program = new TestProgram({ shutdownDuration: "20s" });
  writeFileSync(join(program.folder, "reviews.yaml"), applicationFile);
  const { services, states } = follow(await program.address("xDS"));
  await vi.waitUntil(() => services.includes("reviews.default.svc.cluster.local"), patience);
  program.signal("SIGTERM");
  expect(await program.ended).toBe(0);
  await vi.waitUntil(() => states.some((state) => state.includes("UNAVAILABLE")), patience);
  expect(program.log.map(({ msg }) => msg)).toContain(
    "stopping; nodes and proxies go on under the policy they hold",
  );
});

test("xDS and HTTP on one port", async () => {
  const program = new TestProgram({ grpcAddr: "" });
  writeFileSync(join(program.folder, "reviews.yaml"), applicationFile);
  const address = await program.address("xDS, /ready, /metrics, /debug and /v1");
  await program.line("ready");
  const { services } = follow(address);
  await vi.waitUntil(() => services.includes("reviews.default.svc.cluster.local"), patience);
  const response = await fetch(`http://${address}/ready`);
  expect([response.status, await response.json()]).toEqual([200, { ready: true, waiting: {}, problems: {} }]);
  // As a terminal that is closed does.
  program.signal("SIGHUP");
  expect(await program.ended).toBe(0);
});

test("the mesh configuration is followed; what is wrong with it is told, and stops nothing", async () => {
  const program = new TestProgram({ meshConfig: "/proc/self/mem" });
  await program.line("ready");
  const { status, body } = await program.get("/ready");
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({
    problems: {
      "mesh configuration": expect.stringContaining("/proc/self/mem: MeshConfig mesh: cannot be read"),
    },
  });
  expect(program.log).toContainEqual(
    expect.objectContaining({
      level: "error",
      msg: expect.stringContaining("/proc/self/mem: MeshConfig mesh"),
    }),
  );
  expect((await program.get("/metrics")).body).toContain('keelson_problem{part="mesh configuration"} 1');
});

test("the log is text unless asked otherwise", async () => {
  const { stdout } = await runProgram(
    [
      "discovery",
      "--configDir=/nowhere",
      "--grpcAddr=127.0.0.1:0",
      "--httpAddr=127.0.0.1:0",
      "--monitoringAddr=",
    ].concat(["--monitoringPort=0", "--secureGRPCAddr=", "--httpsAddr=", "--log_output_level=default:error"]),
  );
  expect(stdout).toMatch(
    /^\S+Z\tfatal\tcannot read the configuration in \/nowhere: ENOENT: no such file or directory, stat '\/nowhere'\n$/,
  );
});

test("the port of webhooks speaks TLS with a certificate of the program's own authority", async () => {
  const program = new TestProgram({ httpsAddr: "127.0.0.1:0", secureGRPCAddr: "127.0.0.1:0" });
  const [host, port = ""] = (await program.address("webhooks")).split(":");
  await program.address("xDS and certificates with TLS");
  const root = JSON.parse(readFileSync(join(program.folder, "state", "ca-root.json"), "utf8")) as {
    "ca-cert.pem": string;
  };
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  get(
    {
      host,
      port: Number(port),
      path: "/ready",
      ca: root["ca-cert.pem"],
      servername: "istiod.istio-system.svc",
      agent: false,
    },
    (response) => resolve(response.resume().statusCode),
  ).on("error", reject);
  expect(await promise).toBe(200);
});

test("a root that is not whole leaves the ports with TLS shut, and says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "ca-cert.pem"), "");
  const program = new TestProgram({ secureGRPCAddr: "127.0.0.1:0" }, { ROOT_CA_DIR: folder });
  await program.line("ready");
  const { status, body } = await program.get("/ready");
  expect(status).toBe(200);
  expect(JSON.parse(body)).toMatchObject({ problems: { TLS: expect.stringContaining("ca-key.pem") } });
});
