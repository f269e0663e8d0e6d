// A relay as in RelayWorld, in a process that may be killed. Arguments: the holder's socket, and a server's port. It tells its
// own port, and what was wrong with the holder.
import { Holding } from "../holding/holding.ts";
import { RelayWorld, setName } from "./relay-world.ts";

const [path = "", server = ""] = process.argv.slice(2);
const holding = await Holding.open({ path, patience: 10 }, ({ message }) =>
  process.send?.({ error: message }),
);
const world = await RelayWorld.startWithoutPolicy({ holding });
world.setPolicy({ [setName]: [Number(server)] });
process.send?.({ port: world.port });
