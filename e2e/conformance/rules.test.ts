import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "./case.ts";
import { cases } from "./cases/index.ts";
import { variants } from "./peer/messages.ts";
import { type RuleId, rules, topics } from "./rules.ts";
import { namespaceOf } from "./run-case.ts";

const ids = Object.keys(rules) as RuleId[];
const casesOf = (id: RuleId): ConformanceCase[] => cases.filter((each) => each.rules.includes(id));

describe.each(topics)("%s", (topic) => {
  test("has rules", () => {
    expect(ids.some((id) => rules[id].topic === topic)).toBe(true);
  });

  test.each(ids.filter((id) => rules[id].topic === topic))("%s has a case", (id) => {
    expect(casesOf(id).map(({ name }) => name)).not.toEqual([]);
  });
});

test.each(variants)("what is a rule of %s alone has a case in it", (variant) => {
  const own = ids.filter((id) => id.startsWith(`${variant}-`));
  expect(own.length).toBeGreaterThan(0);
  for (const id of own)
    expect({ id, covered: casesOf(id).some((each) => each.variants.includes(variant)) }).toEqual({
      id,
      covered: true,
    });
});

test("there are at least 60 cases", () => {
  expect(cases.length).toBeGreaterThanOrEqual(60);
});

test("no two cases share a name, and their namespaces are ones of Kubernetes", () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  for (const each of cases)
    for (const variant of each.variants)
      expect(namespaceOf(each, variant)).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
});
