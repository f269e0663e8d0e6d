// Makes the match table of the conditions in each message, and answers it or why there is none.
import { parentPort } from "node:worker_threads";
import { fromBinary } from "@bufbuild/protobuf";
import { routesAutomaton } from "@keelson/compiler/kernel-routes";
import { HttpMatchSchema } from "@keelson/protos/match";
import { tableOf } from "./match-table.ts";

/** Of each route its matches. */
type Conditions = readonly (readonly Uint8Array[])[];

parentPort?.on("message", (conditions: Conditions) => {
  const routes = conditions.map((matches) => ({
    matches: matches.map((bytes) => fromBinary(HttpMatchSchema, bytes)),
  }));
  const made = tableOf(routesAutomaton(routes));
  parentPort?.postMessage(made, "unfit" in made ? [] : [made.entries.buffer as ArrayBuffer]);
});
