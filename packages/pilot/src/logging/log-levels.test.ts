import { expect, test } from "vitest";
import { parseLogLevels } from "./log-levels.ts";

const info = { default: "info", ads: "info", ca: "info", config: "info", http: "info" };

test.each([
  ["", info],
  ["debug", { default: "debug", ads: "debug", ca: "debug", config: "debug", http: "debug" }],
  [
    "ads:info,default:none",
    { default: "silent", ads: "info", ca: "silent", config: "silent", http: "silent" },
  ],
  ["ads:debug,ca:error", { ...info, ads: "debug", ca: "error" }],
  ["all:warn", { default: "warn", ads: "warn", ca: "warn", config: "warn", http: "warn" }],
  ["all:warn,ads:debug", { default: "warn", ads: "debug", ca: "warn", config: "warn", http: "warn" }],
])("%j", (text, levels) => {
  expect(parseLogLevels(text)).toEqual({ levels, unknownScopes: [] });
});

test("scopes that only istiod has are told apart", () => {
  expect(parseLogLevels("default:info,grpc:none,ads:debug")).toEqual({
    levels: { ...info, ads: "debug" },
    unknownScopes: ["grpc"],
  });
});

test.each(["loud", "default:", "ads:debug:2", "info,", "ads:toString"])("%j is refused", (text) => {
  expect(() => parseLogLevels(text)).toThrow(
    /is no level; use debug, info, warn, error, fatal, none, or scope:level$/,
  );
});
