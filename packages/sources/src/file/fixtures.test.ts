import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readConfigFile } from "./config-file.ts";

// Manifests of Istio 0.2.12 as published; they stand beside a checkout, not in it.
const folder = fileURLToPath(new URL("../../../../../shared/fixtures/istio-0.2.12", import.meta.url));

function testWithFixtures(title: string, body: () => void): void {
  test(title, ({ skip }) => {
    skip(!existsSync(folder), "Istio's published manifests do not stand beside this checkout");
    body();
  });
}

const read = (name: string) => readConfigFile(readFileSync(join(folder, name), "utf8"), name);

testWithFixtures("every route rule that Istio published is read without a problem", () => {
  const names = readdirSync(folder).filter((name) => name.startsWith("route-rule-"));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { objects, problems } = read(name);
    expect({ name, problems }).toEqual({ name, problems: [] });
    expect(new Set(objects.map(({ kind }) => kind))).toEqual(new Set(["RouteRule"]));
  }
});

testWithFixtures("of bookinfo the services are read, and each other kind is a warning", () => {
  const { objects, problems } = read("bookinfo.yaml");
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
    expect.arrayContaining(["details", "ratings", "reviews", "productpage"].map((name) => `Service ${name}`)),
  );
  expect(new Set(problems.map(({ severity, field }) => `${severity} ${field}`))).toEqual(
    new Set(["warning kind"]),
  );
});

testWithFixtures("of Istio's own manifest only its one slip is an error: a key that stands twice", () => {
  const { objects, problems } = read("istio.yaml");
  expect(objects.map(({ metadata }) => metadata.name)).toContain("istio-pilot");
  const errors = problems.filter(({ severity }) => severity === "error");
  expect(errors).toMatchObject([
    { message: '"apiVersion" stands twice in one map', location: { line: 1266, column: 1 } },
  ]);
});
