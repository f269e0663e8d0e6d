// A real Envoy loads what a WasmPlugin names: the listener says which, and a resource of its own what it is.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { EnvoyWorld, httpService, podsBehind } from "../envoy/envoy-world.ts";
import { startHttpBackend } from "../envoy/http-backend.ts";
import { HttpLoad } from "../envoy/http-load.ts";
import { peerTest } from "../peers/peer-test.ts";
import { adsVariants } from "../peers/plain-envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { until } from "../world/until.ts";

/**
 * The least that Envoy takes: a memory, the name of the version it speaks, and a function that gives memory. It does
 * nothing. (WebAssembly's binary format: sections of types, functions, memory, exports and code.)
 */
const emptyModule = Buffer.from(
  [
    "0061736d01000000",
    "0109 02 600000 60017f017f",
    "0303 02 00 01",
    "0503 01 00 01",
    exportSection([
      ["memory", "0200"],
      ["proxy_abi_version_0_2_1", "0000"],
      ["proxy_on_memory_allocate", "0001"],
    ]),
    "0a09 02 02000b 040041000b",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

function exportSection(entries: readonly (readonly [string, string])[]): string {
  const hex = (number: number): string => number.toString(16).padStart(2, "0");
  const written = entries
    .map(([name, what]) => hex(name.length) + Buffer.from(name).toString("hex") + what)
    .join("");
  return `07${hex(written.length / 2 + 1)}${hex(entries.length)}${written}`;
}

const plugin = (file: string, pluginConfig: object): KubernetesObject => ({
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "empty", namespace: "default" },
  spec: { url: `file://${file}`, pluginConfig },
});

const resource = "extensions.istio.io/trafficextension/default.empty";

for (const [title, variant] of adsVariants)
  peerTest(
    ["envoy"],
    `an Envoy takes up an extension, what it becomes, and its end, over ${title}`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "keelson-wasm-"));
      await using cleanUp = new AsyncDisposableStack();
      cleanUp.defer(() => rm(folder, { recursive: true }));
      const file = join(folder, "empty.wasm");
      await writeFile(file, emptyModule);
      const backend = cleanUp.use(await startHttpBackend("a", "127.0.0.2"));
      const port = await freePort();
      const world = cleanUp.use(
        await EnvoyWorld.start(variant, [httpService("reviews", port), ...podsBehind("reviews", [backend])]),
      );
      const load = new HttpLoad({ host: "127.0.0.1", port, headers: { host: "reviews" } }, 2);
      cleanUp.defer(() => load.stop());
      await load.untilOnly(["a"]);
      const reloads = async (): Promise<number> =>
        Object.values(await world.statistics("http_filter.*config_reload$"))[0] ?? 0;
      const shown = async (): Promise<string> => world.envoy.admin("/config_dump?resource=ecds_filters");
      for (const [i, generation] of ["first", "second"].entries()) {
        await world.config.write("plugin", [plugin(file, { generation })]);
        await until(async () => (await reloads()) > i, {
          what: `the extension's ${generation} form`,
        });
        expect(await shown()).toContain(generation);
        await load.untilOnly(["a"]);
      }
      expect(await shown()).toContain(resource);
      await world.config.remove("plugin");
      await until(
        async () => !(await world.envoy.admin("/config_dump?resource=dynamic_listeners")).includes(resource),
        {
          what: "a listener without the extension",
        },
      );
      await load.untilOnly(["a"]);
      expect(load.failures).toEqual([]);
      expect(await world.rejections()).toEqual({});
    },
  );
