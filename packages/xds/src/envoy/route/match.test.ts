import { create } from "@bufbuild/protobuf";
import { HttpMatchSchema } from "@keelson/protos/match";
import { expect, test } from "vitest";
import { routeMatch } from "./match.ts";

test.each([
  [false, "prefix"],
  [true, "pathSeparatedPrefix"],
])("a prefix of whole segments (%s) is Envoy's %s", (wholeSegments, expected) => {
  const match = create(HttpMatchSchema, { uri: { how: { case: "prefix", value: "/a" } }, wholeSegments });
  expect(routeMatch(match).pathSpecifier).toEqual({ case: expected, value: "/a" });
});
