import { expect, test } from "vitest";
import { hostsFile, serviceNames } from "./hosts-file.ts";

test("a service is found by each of the names that Kubernetes gives it, at all its addresses", () => {
  const names = serviceNames("reviews", "default", "cluster.local");
  const text = hostsFile([{ names, addresses: ["10.96.0.3", "fd00:10:96::3"] }]);
  const all = "reviews reviews.default reviews.default.svc reviews.default.svc.cluster.local";
  expect(text).toContain(`\n10.96.0.3\t${all}\nfd00:10:96::3\t${all}\n`);
});

test("loopback comes first, whatever else there is", () => {
  expect(hostsFile([])).toBe("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
});
