import { test } from "vitest";
import { behaviours } from "../kernel-behaviour/behaviours/index.ts";
import { compareWithRecords, readRecords } from "../kernel-behaviour/record.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");
const records = await readRecords();

// They wait more than they work, and each has a network namespace and a cgroup of its own.
for (const { name, observe } of behaviours) {
  test.concurrent(`[kernel] redirected sockets: ${name}`, async (context) => {
    context.skip(reason !== undefined, reason);
    compareWithRecords(name, await observe("short", () => undefined), records);
  });
}
