import { test } from "vitest";
import { behaviours } from "../kernel-behaviour/behaviours/index.ts";
import { compareWithRecords, readRecords } from "../kernel-behaviour/record.ts";
import { missingForKernel } from "../world/requirements.ts";

const missing = await missingForKernel();
const reason = missing.length === 0 ? undefined : missing.join("; ");
const records = await readRecords();

for (const { name, observe } of behaviours) {
  test(`[kernel] redirected sockets: ${name}`, async (context) => {
    context.skip(reason !== undefined, reason);
    compareWithRecords(name, await observe("short", () => undefined), records);
  });
}
