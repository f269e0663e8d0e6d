import { expect, test } from "vitest";
import { missingPeers } from "../peers/peer-cache.ts";
import { peerTest } from "../peers/peer-test.ts";
import { casesOf } from "../relay-policy/cases.ts";
import { compareWithEnvoy } from "../relay-policy/comparison.ts";
import { compareFailures } from "../relay-policy/failures.ts";
import { compareNodeWithEnvoy } from "../relay-policy/node-comparison.ts";
import { missingForKernel } from "../world/requirements.ts";

/** The long form takes more of them: `npm run e2e -- relay-policy`. */
const cases = 50;
const nodeCases = 12;

const missing = await missingForKernel();
const nodeReason = missing.length === 0 ? await missingPeers("envoy") : missing.join("; ");

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

test("[kernel] what a node makes of requests whose programs take them is what an Envoy makes of them", async (context) => {
  context.skip(nodeReason !== undefined, nodeReason);
  const { different, ...of } = await compareNodeWithEnvoy(casesOf(27, nodeCases, "for programs"));
  expect(different).toEqual([]);
  expect(of.owed).toBeGreaterThan(20);
  expect(of.taken).toBeGreaterThan(of.owed);
  expect(of.moved).toBeGreaterThan(of.owed / 2);
  expect(of.shared).toBeGreaterThan(0);
});

peerTest(["envoy"], "of requests that fail it makes what an Envoy makes of them, too", async () => {
  const { asked, retried, different } = await compareFailures();
  expect(different).toEqual([]);
  expect(asked).toBeGreaterThan(200);
  expect(retried).toBeGreaterThan(20);
});
