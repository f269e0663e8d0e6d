import { type ConformanceCase, changing, still } from "../case.ts";
import { variants } from "../peer/messages.ts";
import { check } from "../peer/nonconformity.ts";
import { types } from "../peer/types.ts";
import { clustersInStock, untilEndpoint, watching } from "./steps.ts";

const version = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[-+]\d\d:\d\d)/\d+`;
const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";

export const versions: readonly ConformanceCase[] = [
  still({
    name: "version-is-a-time-and-a-counter",
    rules: ["version-form"],
    variants,
    what: "tells versions as a time of RFC 3339, a slash and a counter",
    run: async (scene) => {
      const peer = scene.connect();
      for (const typeUrl of [types.cds, types.lds]) {
        peer.ask(typeUrl);
        const { version: told } = await peer.take(typeUrl);
        check(new RegExp(`^${version}$`).test(told), "a version like 2026-01-31T12:00:00Z/7", told);
      }
    },
  }),
  still({
    name: "nonce-is-the-version-and-a-uuid",
    rules: ["nonce-form"],
    variants,
    what: "makes nonces of the version and a UUID",
    run: async (scene) => {
      const peer = scene.connect();
      peer.ask(types.cds);
      const { nonce, version: told } = await peer.take(types.cds);
      check(nonce.startsWith(told), `a nonce that begins with ${told}`, nonce);
      check(new RegExp(`^${uuid}$`).test(nonce.slice(told.length)), "a UUID after the version", nonce);
    },
  }),
  changing({
    name: "version-changes-with-the-configuration",
    rules: ["version-form", "per-type"],
    variants,
    what: "tells another version when something else is sent",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = scene.connect();
      peer.ask(types.cds);
      const before = await peer.take(types.cds);
      peer.ask(types.eds, a);
      await peer.take(types.eds);
      await scene.change(world.service("a", ["10.1.1.2"]), world.service("b", ["10.1.2.1"]));
      const [after] = (await peer.until(({ typeUrl }) => typeUrl === types.cds, "changed clusters")).slice(
        -1,
      );
      check(after?.version !== before.version, `another version than ${before.version}`, after?.version);
    },
  }),
  still({
    name: "resources-have-no-version-of-their-own",
    rules: ["delta-unversioned"],
    variants: ["delta"],
    what: "leaves the version of each resource empty, so that a client that comes again is sent all",
    run: async (scene) => {
      const [cluster = ""] = clustersInStock(scene, 1);
      const peer = scene.connect();
      for (const typeUrl of [types.cds, types.lds, types.eds]) {
        peer.ask(typeUrl, ...(typeUrl === types.eds ? [cluster] : []));
        const { resources } = await peer.take(typeUrl);
        const versioned = resources.filter(({ version: own }) => own !== "");
        check(
          versioned.length === 0,
          "resources without a version",
          versioned.map(({ name }) => name),
        );
      }
    },
  }),
  changing({
    name: "versions-are-each-types-own",
    rules: ["per-type"],
    variants,
    what: "goes on to serve one type while answers of another are owed",
    begin: (world) => [world.service("a", ["10.1.1.1"])],
    run: async (scene) => {
      const { world } = scene;
      const a = world.cluster("a");
      const peer = scene.connect();
      peer.ask(types.lds);
      // Neither acked nor rejected.
      await peer.response();
      peer.ask(types.eds, a);
      await peer.take(types.eds);
      const witness = await watching(scene, types.eds, a);
      await scene.change(world.service("a", ["10.1.1.2"]));
      await untilEndpoint(witness, a, "10.1.1.2");
      await untilEndpoint(peer, a, "10.1.1.2");
    },
  }),
];
