import { rm } from "node:fs/promises";
import { join } from "node:path";
import { peerRunFolder } from "../../peers/peer-process.ts";
import { ConfigFolder } from "../../world/config-folder.ts";
import { onEndSignal } from "../../world/end-signals.ts";
import { cleanUp, type Planned, prepare, stillNamespace } from "../run.ts";
import type { Subject } from "./subject.ts";

/** A server, with what a run needs to know of it. */
export interface Examined extends AsyncDisposable {
  /** host:port of plain gRPC. */
  readonly address: string;
  /** Where it reads its configuration; undefined: nobody may change it. */
  readonly config: ConfigFolder | undefined;
  /** Of a node whose configuration does not change. */
  readonly namespace: string;
}

/** Starts a server on a folder with what a plan begins with. */
export async function startExamined(
  start: (config: ConfigFolder) => Promise<Subject>,
  plan: readonly Planned[],
): Promise<Examined> {
  await using stack = new AsyncDisposableStack();
  const folder = await peerRunFolder("conformance");
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const config = await ConfigFolder.create(join(folder, "config"));
  await prepare(config, plan);
  const { address } = stack.use(await start(config));
  const owned = stack.move();
  return {
    address,
    config,
    namespace: stillNamespace,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * A server that runs already and reads a folder: it is given what a plan begins with. All of it is removed at the end, and
 * when this process is asked to end.
 */
export async function examineWithFolder(
  address: string,
  path: string,
  plan: readonly Planned[],
): Promise<Examined> {
  const config = await ConfigFolder.create(path);
  await prepare(config, plan);
  const stopListening = onEndSignal((_, exitCode) => {
    cleanUp(config, plan);
    process.exit(exitCode);
  });
  return {
    address,
    config,
    namespace: stillNamespace,
    [Symbol.asyncDispose]: () => {
      stopListening();
      cleanUp(config, plan);
      return Promise.resolve();
    },
  };
}
