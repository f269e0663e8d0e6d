// The built program against a running control plane, with nodes that are real xDS clients.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { nodeNameMetadata } from "@keelson/model/names";
import { ControlPlane, httpServer } from "@keelson/pilot";
import { policyTypeUrls } from "@keelson/protos";
import { DirectorySource } from "@keelson/sources";
import { DeltaXdsClient } from "@keelson/xds";
import { pino } from "pino";
import { expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { reviews, reviewsRule } from "./testing/config.ts";
import { directoryWith, keelson, startKeelson } from "./testing/keelson.ts";

interface Running {
  readonly controlPlane: ControlPlane;
  readonly http: ReturnType<typeof httpServer>;
  readonly directory: string;
  readonly server: string;
  readonly xds: string;
}

async function running(files: Readonly<Record<string, string>>): Promise<Running> {
  const directory = directoryWith(files);
  const controlPlane = new ControlPlane({
    source: new DirectorySource(directory),
    domain: "cluster.local",
    logger: pino({ level: "silent" }),
  });
  const http = httpServer(controlPlane);
  onTestFinished(async () => {
    await Promise.all([controlPlane.close(0), http.close()]);
  });
  const server = await http.listen({ host: "127.0.0.1", port: 0 });
  await controlPlane.start();
  const port = await controlPlane.listen({ host: "127.0.0.1", port: 0 });
  return { controlPlane, http, directory, server, xds: `127.0.0.1:${port}` };
}

/** A node that holds an update when `hold` resolves. @param hold gets what resolves when the test is over */
function connect({ xds }: Running, name: string, hold: (over: Promise<void>) => Promise<void>): void {
  const over = Promise.withResolvers<void>();
  const client = new DeltaXdsClient({
    address: xds,
    credentials: grpc.credentials.createInsecure(),
    node: { id: `${name}-id`, metadata: { [nodeNameMetadata]: name } },
    typeUrls: Object.values(policyTypeUrls),
    onUpdate: () => hold(over.promise),
  });
  client.start();
  onTestFinished(() => {
    over.resolve();
    return client.close();
  });
}

const config = { "reviews.yaml": reviews, "rule.yaml": reviewsRule("v1") };

test("explain says of a running control plane what it says of its directory", async () => {
  const { server, directory } = await running(config);
  for (const format of ["text", "json", "yaml"]) {
    const remote = await keelson(["explain", "--server", server, "-o", format, "reviews"]);
    expect(remote).toEqual(await keelson(["explain", "--config-dir", directory, "-o", format, "reviews"]));
    expect([remote.code, remote.stderr]).toEqual([0, ""]);
    expect(remote.stdout).toContain("RouteRule default/reviews-default");
  }
});

test.each(["reviews", "reviews.default", "reviews.default.svc.cluster.local"])(
  "%s is found",
  async (name) => {
    const { server } = await running(config);
    const { code, stdout } = await keelson(["explain", "--server", server, name]);
    expect([code, stdout.split("\n")[0]]).toEqual([0, "reviews.default.svc.cluster.local"]);
  },
);

test("an unknown service ends with 1 and a suggestion; a broken rule is pointed at", async () => {
  const { server } = await running({ ...config, "broken.yaml": "kind: [" });
  expect(await keelson(["explain", "--server", server, "reviewz.default"])).toEqual({
    code: 1,
    stdout: "",
    stderr: "keelson: there is no service reviewz.default; did you mean reviews.default?\n",
  });
  const { code, stderr } = await keelson(["explain", "--server", server, "reviews"]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/has \d+ errors?, and what they name has no effect: see keelson status\n$/);
});

test("status tells a node that is synced from one that waits and one that rejects", async () => {
  const world = await running(config);
  connect(world, "n1", async () => undefined);
  connect(world, "n2", (over) => over);
  connect(world, "n3", () => Promise.reject(new Error("map services: no space\nsecond line")));
  await vi.waitFor(() => {
    const [n1, n2, n3] = world.controlPlane.status().nodes;
    expect(n1?.appliedVersion).toBe(n1?.wantedVersion);
    expect(n2?.pendingSince).toBeDefined();
    expect(Object.keys(n3?.rejected ?? {}).length).toBeGreaterThan(0);
  }, 10_000);

  const { version } = world.controlPlane.status();
  const { code, stdout, stderr } = await keelson(["status", "--server", world.server]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(
    new RegExp(
      `^control plane  ${world.server}\nprogram +\\d+\\.\\d+\\.\\d+, up for \\d+s\nversion +${version}, for \\d+s\n`,
    ),
  );
  expect(stdout).toContain("configuration  1 service from 5 objects\nproblems       no problems\n");
  expect(stdout).toMatch(new RegExp(`\nn1 +SYNCED +${version} +${version} +\\d+s\n`));
  expect(stdout).toMatch(new RegExp(`\nn2 +PENDING for \\d+s +${version} +none yet +\\d+s\n`));
  expect(stdout).toMatch(new RegExp(`\nn3 +REJECTED +${version} +none yet +\\d+s\n`));
  expect(stdout).toMatch(/\nn3 rejected keelson\.policy\.v1\.\w+: map services: no space\n {2}second line\n/);

  const json = await keelson(["status", "--server", world.server, "-o", "json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    server: world.server,
    version,
    nodes: [
      { name: "n1", id: "n1-id", state: "SYNCED" },
      { name: "n2", state: "PENDING" },
      { name: "n3", state: "REJECTED" },
    ],
  });
  const yaml = await keelson(["status", "--server", world.server, "-o", "yaml"]);
  expect(parse(yaml.stdout)).toMatchObject({ version, services: 1, objects: 5 });
});

test("status counts the problems of the configuration", async () => {
  const { server } = await running({ ...config, "broken.yaml": "kind: Srvice" });
  const { stdout } = await keelson(["status", "--server", server]);
  expect(stdout).toMatch(
    /\nproblems +1 warning\n {2}\S+broken\.yaml:1:1: warning: .*did you mean Service\?\n/,
  );
});

test("status --watch follows, also over an outage, until it is interrupted", async () => {
  const world = await running(config);
  const child = startKeelson(["status", "--server", world.server, "--watch", "0.1"]);
  let stdout = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  await vi.waitFor(() => expect(stdout).toContain("no node is connected"), 10_000);
  connect(world, "n1", async () => undefined);
  await vi.waitFor(() => expect(stdout).toMatch(/n1 +SYNCED/), 10_000);
  writeFileSync(join(world.directory, "rule.yaml"), reviewsRule("v9"));
  await vi.waitFor(() => expect(stdout).toMatch(/problems +1 warning/), 10_000);

  await world.http.close();
  await vi.waitFor(
    () => expect(stdout).toContain(`cannot reach the control plane at ${world.server}`),
    10_000,
  );
  const again = httpServer(world.controlPlane);
  onTestFinished(() => again.close());
  await again.listen({ host: "127.0.0.1", port: Number(new URL(world.server).port) });
  stdout = "";
  await vi.waitFor(() => expect(stdout).toMatch(/n1 +SYNCED/), 10_000);

  const ended = new Promise((resolve) => child.on("close", resolve));
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

test("a control plane that is not there: the URL, what to check, and 1", async () => {
  const world = await running(config);
  await world.controlPlane.close(0);
  const gone = `http://${world.xds}`;
  for (const args of [["status"], ["status", "--watch"], ["explain"]]) {
    const { code, stdout, stderr } = await keelson([...args, "--server", gone]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      `keelson: cannot reach the control plane at ${gone}: connection refused\nIs it running there`,
    );
  }
});
