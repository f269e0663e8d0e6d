// Makes the automaton of the routes in each message, and answers how large it is or why there is none.
import { parentPort } from "node:worker_threads";
import { fromBinary } from "@bufbuild/protobuf";
import type { AutomatonFit } from "@keelson/compiler";
import { routesAutomaton } from "@keelson/compiler/kernel-routes";
import { RouteTableSchema } from "@keelson/protos/route";

parentPort?.on("message", (tables: readonly Uint8Array[]) => {
  const made = routesAutomaton(tables.flatMap((bytes) => fromBinary(RouteTableSchema, bytes).http));
  const fit: AutomatonFit = "unfit" in made ? made : { size: made.size };
  parentPort?.postMessage(fit, []);
});
