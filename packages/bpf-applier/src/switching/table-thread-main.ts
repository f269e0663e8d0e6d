// Makes the match table of the conditions that the thread was started with, sends it or why there is none, and ends.
import { parentPort, workerData } from "node:worker_threads";
import { fromBinary } from "@bufbuild/protobuf";
import { routesAutomaton } from "@keelson/compiler/kernel-routes";
import { HttpMatchSchema } from "@keelson/protos/match";
import { tableOf } from "./match-table.ts";

const conditions = workerData as readonly (readonly Uint8Array[])[];
const routes = conditions.map((matches) => ({
  matches: matches.map((bytes) => fromBinary(HttpMatchSchema, bytes)),
}));
const made = tableOf(routesAutomaton(routes));
parentPort?.postMessage(made, "unfit" in made ? [] : [made.entries.buffer as ArrayBuffer]);
