// node --input-type=module --eval "$(cat reach-control-plane.mjs)" HOST: ends with 0 if a control plane answers there.
import { connect } from "node:net";

const [host] = process.argv.slice(1);
// What istioctl takes apart: version-revision-status.
const version = /^[^-\s]+-[^-\s]+-[^-\s]+$/;

/** Whether somebody takes connections at a port. */
const reach = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 10_000 }, () => resolve(socket.destroy()));
    socket.once("timeout", () => socket.destroy(new Error(`${host}:${port} does not answer`)));
    socket.once("error", reject);
  });

const said = await (await fetch(`http://${host}:15014/version`)).text();
if (!version.test(said.trim())) throw new Error(`${host}:15014 says "${said}", and no version`);
console.log(`${host} is ${said.trim()}`);
for (const port of [15010, 15012]) {
  await reach(port);
  console.log(`port ${port} is open`);
}
