import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ModelBuilder } from "@keelson/model";
import { readConfigFile } from "@keelson/sources";
import { expect, test } from "vitest";
import { Compiler } from "./compiler.ts";

// Istio's samples as published; they stand beside a checkout, not in it.
const folder = fileURLToPath(new URL("../../../../shared/fixtures", import.meta.url));

function testWithFixtures(title: string, body: () => void): void {
  test(title, ({ skip }) => {
    skip(!existsSync(folder), "Istio's published samples do not stand beside this checkout");
    body();
  });
}

const read = (path: string) => readConfigFile(readFileSync(join(folder, path), "utf8"), path);
const filesIn = (name: string): string[] =>
  readdirSync(join(folder, name))
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => join(name, file));

/** Kinds that the samples hold beside what is read: they are for Kubernetes alone. */
const others =
  /^kind (Deployment|ServiceAccount|Secret|Ingress|Namespace|ConfigMap|.*Role.*|CustomResourceDefinition) /;

/** What a sample says together with the application that it is for. */
function compileWith(application: string, path: string) {
  const [base, own] = [read(application), read(path)];
  const { model, problems } = new ModelBuilder().build([...base.objects, ...own.objects]);
  const compiled = new Compiler().compile(model);
  // The application's endpoints are in no file.
  const judged = compiled.problems.filter(({ absent }) => absent?.what !== "endpoints");
  return { own, model, compiled, problems: [...own.problems, ...problems, ...judged] };
}

const errorsOf = (problems: readonly { severity: string; field: string; message: string }[]): string[] =>
  problems.filter(({ severity }) => severity === "error").map(({ field, message }) => `${field}: ${message}`);

/** What is wrong with a sample itself. */
const slips: Readonly<Record<string, string[]>> = {
  "fault-injection-details-v1.yaml": [
    "spec.http[1]: is never asked: http[0] has no match, and takes every request",
  ],
};

testWithFixtures("every sample of Istio 0.2.12 compiles with its bookinfo", () => {
  const samples = filesIn("istio-0.2.12").filter((path) => !path.endsWith("istio.yaml"));
  expect(samples.length).toBeGreaterThan(8);
  for (const path of samples) {
    const { own, problems, compiled } = compileWith("istio-0.2.12/bookinfo.yaml", path);
    expect({ path, errors: errorsOf(own.problems) }).toEqual({ path, errors: [] });
    const unknown = problems.filter(({ field }) => field === "kind").map(({ message }) => message);
    expect(unknown.filter((message) => !others.test(message))).toEqual([]);
    expect([...compiled.ir.services.keys()]).toContain("reviews.default.svc.cluster.local");
  }
});

testWithFixtures("every networking sample of today's Istio compiles with its bookinfo and subsets", () => {
  const samples = filesIn("istio-latest/networking");
  expect(samples.length).toBeGreaterThan(20);
  for (const path of samples) {
    const { own, problems, compiled } = compileWith("istio-latest/bookinfo.yaml", path);
    const warnings = own.problems.map(({ field, message }) => `${field}: ${message}`);
    expect({ path, warnings }).toEqual({ path, warnings: slips[basename(path)] ?? [] });
    expect({ path, errors: errorsOf(problems) }).toEqual({ path, errors: [] });
    expect(own.objects.length).toBeGreaterThan(0);
    const { routeTables, hostPolicies, gateways, services } = compiled.ir;
    for (const { kind, metadata } of own.objects) {
      const name = `${metadata.namespace}/${metadata.name}`;
      if (kind === "VirtualService") expect([...routeTables.keys()]).toContain(`VirtualService/${name}`);
      if (kind === "DestinationRule") expect([...hostPolicies.keys()]).toContain(`DestinationRule/${name}`);
      if (kind === "Gateway") expect([...gateways.keys()]).toContain(name);
      if (kind === "ServiceEntry") expect(services.size).toBe(5);
    }
  }
});

testWithFixtures("a subset of a sample means the labels that its DestinationRules say", () => {
  const rules = read("istio-latest/networking/destination-rule-all.yaml").objects;
  const split = read("istio-latest/networking/virtual-service-reviews-80-20.yaml").objects;
  const base = read("istio-latest/bookinfo.yaml").objects;
  const { model } = new ModelBuilder().build([...base, ...rules, ...split]);
  const [port] = new Compiler().compile(model).explain("reviews.default.svc.cluster.local")?.ports ?? [];
  expect(port?.destinations.map(({ labels, share }) => [labels, share])).toEqual([
    [{ version: "v1" }, 0.8],
    [{ version: "v2" }, 0.2],
  ]);
});
