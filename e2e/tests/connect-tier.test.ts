import { existsSync } from "node:fs";
import { probeProgramType } from "bpf-maps-native";
import { afterAll, afterEach, beforeAll, describe, test } from "vitest";
import { scenarios } from "../scenarios/index.ts";
import { families, fullScale, ReviewsWorld } from "../scenarios/reviews-world.ts";

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/sys/kernel/btf/vmlinux")) return "the kernel has no BTF";
  if (!probeProgramType("cgroup_sock_addr")) return "the kernel refuses cgroup_sock_addr programs";
  return undefined;
}

const reason = whyNot();

describe.each(families)("[kernel] connect tier over %s", (family) => {
  let reviews: ReviewsWorld;

  beforeAll(async () => {
    if (reason !== undefined) return;
    // Once is enough to be away for a whole minute.
    const scale = { ...fullScale, awayMs: family === "IPv4" ? fullScale.awayMs : 2_000 };
    reviews = await ReviewsWorld.open(`connect${family.toLowerCase()}`, scale);
  });
  afterEach(async () => {
    if (reason === undefined) await reviews.withoutRules();
  });
  afterAll(async () => {
    if (reason === undefined) await reviews.close();
  });

  for (const { name, run } of scenarios) {
    test(name, { timeout: 180_000 }, async (context) => {
      context.skip(reason !== undefined, reason);
      await run(reviews, family);
    });
  }
});
