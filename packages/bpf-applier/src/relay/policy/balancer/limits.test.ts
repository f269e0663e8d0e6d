import { create } from "@bufbuild/protobuf";
import { ConnectionPoolSchema } from "@keelson/protos/traffic-policy";
import { expect, test } from "vitest";
import { limitsOf } from "./limits.ts";

test.each([
  [undefined, 10_000],
  [0n, 10_000],
  [250n, 250],
  [2_147_483_647n, 2_147_483_647],
  [2_147_483_648n, 2_147_483_647],
  [9_223_372_036_854_775_807n, 2_147_483_647],
])(
  "a rule that gives a connection %s ms to be opened leaves it %d: none more than a timer can count",
  (rule, time) => {
    const pool = create(ConnectionPoolSchema, rule === undefined ? {} : { connectTimeoutMs: rule });
    expect(limitsOf(pool).connectTimeoutMs).toBe(time);
  },
);
