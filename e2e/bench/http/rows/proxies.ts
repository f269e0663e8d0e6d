import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startEnvoy } from "../../../peers/envoy.ts";
import { missingPeers } from "../../../peers/peer-cache.ts";
import { PeerProcess, type Place, peerRunFolder } from "../../../peers/peer-process.ts";
import { processesIn } from "../../../world/cgroups.ts";
import { command } from "../../../world/command.ts";
import { type Ground, targetPort } from "../ground.ts";
import { envoyBootstrap, haproxyConfiguration, nginxConfiguration, type Passing } from "./configurations.ts";
import type { Row, Way } from "./row.ts";

/** Starts a proxy in the caller's network, as a sidecar is, and resolves with the way through it once that answers. */
async function wayThrough(
  ground: Ground,
  name: string,
  listenPort: number,
  start: (passing: Passing, place: Place) => Promise<PeerProcess>,
): Promise<Way> {
  const cgroup = await ground.makeCgroup(name);
  const { namespace } = ground.world.pod("caller").place;
  const serverAddress = ground.far.pod.ipv4;
  const proxy = await start({ listenPort, serverAddress, serverPort: targetPort }, { cgroup, namespace });
  const target = { address: "127.0.0.1", port: listenPort };
  const one = { connections: 1, size: 1 };
  await proxy.ready(async () => (await ground.plainLoad.hold(target, one)).release().then(() => true));
  const processes = (): Promise<number[]> => processesIn(cgroup);
  return { load: ground.plainLoad, target, processes, stop: () => proxy.stop() };
}

async function missingProgram(program: string, debianPackage: string): Promise<string | undefined> {
  return command("sh", ["-c", `command -v ${program}`]).then(
    () => undefined,
    () => `${program} is not installed (Debian package ${debianPackage})`,
  );
}

const nginxRow: Row = {
  name: "nginx",
  what: "one worker in the caller's network, upstream connections kept",
  missing: () => missingProgram("nginx", "nginx-light"),
  start: (ground) =>
    wayThrough(ground, "nginx", 8001, async (passing, place) => {
      const folder = await peerRunFolder("nginx");
      const file = join(folder, "nginx.conf");
      await writeFile(file, nginxConfiguration(passing));
      const nginx = ["nginx", "-p", folder, "-e", "stderr", "-c", file] as const;
      return new PeerProcess(folder, { title: "nginx", command: nginx, place });
    }),
};

const haproxyRow: Row = {
  name: "HAProxy",
  what: "one thread in the caller's network, upstream connections kept",
  missing: () => missingProgram("haproxy", "haproxy"),
  start: (ground) =>
    wayThrough(ground, "haproxy", 8002, async (passing, place) => {
      const folder = await peerRunFolder("haproxy");
      const file = join(folder, "haproxy.cfg");
      await writeFile(file, haproxyConfiguration(passing));
      return new PeerProcess(folder, { title: "haproxy", command: ["haproxy", "-db", "-f", file], place });
    }),
};

/** @param matches route matches that are asked before the one that holds for all requests; they lead to the same server */
export const envoyWith = (matches: readonly object[]): Row => ({
  name: "Envoy",
  what: "one worker in the caller's network, upstream connections kept, no access log",
  missing: () => missingPeers("envoy"),
  start: (ground) =>
    wayThrough(
      ground,
      "envoy",
      8003,
      async (passing, place) =>
        (await startEnvoy({ bootstrap: envoyBootstrap(passing, matches), place })).process,
    ),
});

export const proxyRows: readonly Row[] = [nginxRow, haproxyRow, envoyWith([])];
