import { expect, test } from "vitest";
import { missingCapabilities } from "./requirements.ts";

test("capabilities are read from the effective set", () => {
  expect(missingCapabilities("Name:\tnode\nCapEff:\t000001ffffffffff\n")).toEqual([]);
  expect(missingCapabilities("CapPrm:\t000001ffffffffff\nCapEff:\t0000000000001000\n")).toEqual([
    "CAP_SYS_ADMIN",
  ]);
  expect(missingCapabilities("CapEff:\t00000000a80425fb\n")).toEqual(["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]);
});
