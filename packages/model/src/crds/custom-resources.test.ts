import { expect, test } from "vitest";
import { kinds } from "../kinds/index.ts";
import { customResources } from "./custom-resources.ts";

test("every kind of Istio's that is read has a definition", () => {
  const named = ({ kind, group }: { kind: string; group: string }) => `${kind}.${group}`;
  const wanted = kinds.filter(({ group }) => group.endsWith(".istio.io"));
  expect(customResources.map(named).sort()).toEqual(wanted.map(named).sort());
});
