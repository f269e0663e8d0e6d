import { expect, test } from "vitest";
import {
  compareLocations,
  describeObject,
  formatLocation,
  formatPath,
  type Location,
} from "./config-object.ts";

test("paths and places as a reader expects them", () => {
  expect(formatPath(["spec", "route", 0, "weight"])).toBe("spec.route[0].weight");
  expect(formatPath([])).toBe("");
  expect(formatLocation({ file: "rules.yaml", line: 12, column: 5 })).toBe("rules.yaml:12:5");
  expect(formatLocation({ file: "kubernetes" })).toBe("kubernetes");
});

test("an object without a namespace is named without one", () => {
  const metadata = { name: "a", namespace: "", uid: "", creationTimestamp: "", labels: {}, annotations: {} };
  expect(describeObject({ kind: "Namespace", metadata })).toBe("Namespace a");
  expect(describeObject({ kind: "Pod", metadata: { ...metadata, namespace: "b" } })).toBe("Pod b/a");
});

test("places are ordered by file, line and column, as numbers", () => {
  const inOrder: Location[] = [
    { file: "a" },
    { file: "a", line: 2, column: 10 },
    { file: "a", line: 10, column: 2 },
    { file: "a", line: 10, column: 10 },
    { file: "b", line: 1, column: 1 },
  ];
  expect(inOrder.toReversed().sort(compareLocations)).toEqual(inOrder);
});
