import { expect } from "vitest";
import { peerTest } from "../peers/peer-test.ts";
import { casesOf } from "../relay-policy/cases.ts";
import { compareWithEnvoy } from "../relay-policy/comparison.ts";
import { compareFailures } from "../relay-policy/failures.ts";

/** The long form takes more of them: `npm run e2e -- relay-policy`. */
const cases = 50;

peerTest(["envoy"], "what the relay makes of requests is what an Envoy makes of them", async () => {
  const { asked, forwarded, mirrored, different } = await compareWithEnvoy(casesOf(2026, cases));
  expect(different).toEqual([]);
  expect(asked).toBeGreaterThan(500);
  expect(forwarded).toBeGreaterThan(100);
  expect(mirrored).toBeGreaterThan(10);
});

peerTest(["envoy"], "and so does an Envoy that is configured as a node's relay", async () => {
  const { different, forwarded } = await compareWithEnvoy(casesOf(7, cases), "relay");
  expect(different).toEqual([]);
  expect(forwarded).toBeGreaterThan(50);
});

peerTest(["envoy"], "of requests that fail it makes what an Envoy makes of them, too", async () => {
  const { asked, retried, different } = await compareFailures();
  expect(different).toEqual([]);
  expect(asked).toBeGreaterThan(200);
  expect(retried).toBeGreaterThan(20);
});
