// A relay as in RelayWorld, in a process that may be killed. Arguments: the holder's socket, and a server's port. It tells its
// own port, and what was wrong with the holder. At any message it hands over, and ends.
import { Holding } from "../holding/holding.ts";
import { RelayWorld, setName } from "./relay-world.ts";

const [path = "", server = ""] = process.argv.slice(2);
const holding = await Holding.open({ path, patience: 120 }, ({ message }) =>
  process.send?.({ error: message }),
);
const world = await RelayWorld.startWithoutPolicy({ holding });
world.setPolicy({ [setName]: [Number(server)] });
process.send?.({ port: world.port });
process.once("message", () => void world.core.handOver(60_000).then(() => process.exit(0)));
