import { defaultMesh } from "@keelson/model";
import { expect, test } from "vitest";
import { parseMeshConfig } from "./mesh-file.ts";

const parse = (text: string) => parseMeshConfig(text, "mesh", "cluster.local");

test("a mesh file as Istio's ConfigMap has it", () => {
  const { mesh, problems } = parse(`
accessLogFile: /dev/stdout
defaultConfig:
  discoveryAddress: istiod.istio-system.svc:15012
rootNamespace: istio-system
trustDomain: example.org
`);
  expect(problems).toEqual([]);
  expect(mesh).toMatchObject({
    accessLogFile: "/dev/stdout",
    trustDomain: "example.org",
    domain: "cluster.local",
  });
});

test("an empty file is the defaults", () => {
  expect(parse("")).toEqual({ mesh: defaultMesh("cluster.local"), problems: [] });
});

test("what is wrong is said with its place", () => {
  expect(parse("trustDomain: a\nconnectTimeout: soon\n").problems).toMatchObject([
    {
      severity: "error",
      object: "MeshConfig mesh",
      field: "connectTimeout",
      location: { file: "mesh", line: 2 },
    },
  ]);
});

test("text that is no YAML leaves the defaults", () => {
  const { mesh, problems } = parse("trustDomain: [\n");
  expect(mesh).toEqual(defaultMesh("cluster.local"));
  expect(problems).toMatchObject([
    { severity: "error", message: expect.stringContaining("the defaults count") },
  ]);
});
