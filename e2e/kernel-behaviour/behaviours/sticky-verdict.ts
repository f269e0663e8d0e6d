import assert from "node:assert/strict";
import type { Behaviour, Observed } from "../behaviour.ts";
import { Bench, collect, places } from "../bench.ts";
import { openFrames, receivers, relay, request } from "./frames.ts";
import { action, setRule } from "./letters.ts";

const first = request(1, 10, "1");
const second = request(2, 12, "2");
const home = request(relay, 20, "r");

/** What arrives at either server and at the relay of requests written in one writev. */
async function writeAtOnce(bench: Bench, careful: boolean, requests: readonly Buffer[]): Promise<Buffer[]> {
  const world = await openFrames(bench, { careful });
  const total = requests.reduce((sum, { length }) => sum + length, 0);
  assert.equal(await world.caller.active.writeParts(...requests), total);
  return collect(receivers(world), total);
}

/** What becomes of a send that the program would pass, after one that it dropped. */
async function sendAfterDrop(): Promise<string | number> {
  await using bench = await Bench.open("letters");
  const connection = await bench.connect(await bench.listen({ active: places.speaks }));
  await setRule(bench, connection, action.byLetter);
  assert.equal(await connection.active.send("drop"), "EACCES");
  // Awaited before the bench is taken down: a call of a process that is killed never returns.
  return await connection.active.send("pass");
}

const sizes = (arrived: readonly Buffer[]): string => arrived.map(({ length }) => length).join(" + ");

export const stickyVerdict: Behaviour = {
  name: "sticky verdict",
  claim:
    "SK_PASS after a redirect in the same send is redirected, too. " +
    "apply_bytes(0) and a redirect to the caller's own socket bring the rest to the relay. SK_DROP is for good.",
  async observe(): Promise<Observed> {
    await using bench = await Bench.open("frames");
    const observed: Observed = {};
    const writes = {
      "first, relay": [first, home],
      "first, second, relay": [first, second, home],
      "relay, first": [home, first],
    };
    for (const [name, requests] of Object.entries(writes)) {
      observed[`plain: ${name}: bytes at first + second + relay`] = sizes(
        await writeAtOnce(bench, false, requests),
      );
    }
    // What the design stands on: every byte where it belongs.
    assert.deepEqual(await writeAtOnce(bench, true, [first, home]), [first, Buffer.alloc(0), home]);
    assert.deepEqual(await writeAtOnce(bench, true, [first, second, home]), [first, second, home]);
    // Once the relay has a part of a send it has the rest of it.
    const rest = Buffer.concat([home, second]);
    assert.deepEqual(await writeAtOnce(bench, true, [first, home, second]), [first, Buffer.alloc(0), rest]);
    observed["handed over: every byte where it belongs"] = true;
    observed["a send that the program passes, after one that it dropped"] = await sendAfterDrop();
    return observed;
  },
};
