import fc from "fast-check";
import { expect, test } from "vitest";
import { egressProxyName, outboundName, parseServiceKey, serviceKey } from "./service-key.ts";

const host = "hello.default.svc.cluster.local";

test.each([
  [serviceKey(host, ""), host],
  [serviceKey(host, "http"), `${host}|http`],
  [serviceKey(host, "http", { version: "v0" }), `${host}|http|version=v0`],
  [serviceKey(host, "http", { b: "1", a: "2", c: "" }), `${host}|http|a=2,b=1,c`],
  [serviceKey(host, "", { a: "b" }), `${host}||a=b`],
])("%s", (key, text) => {
  expect(key).toBe(text);
});

test.each([
  [host, { hostname: host, portNames: [""], labels: [] }],
  [`${host}|`, { hostname: host, portNames: [""], labels: [] }],
  [`${host}|a,b`, { hostname: host, portNames: ["a", "b"], labels: [] }],
  [`${host}|a|k=v,l;m=n`, { hostname: host, portNames: ["a"], labels: [{ k: "v", l: "" }, { m: "n" }] }],
  [`${host}|a|k=v=w`, { hostname: host, portNames: ["a"], labels: [{ k: "v" }] }],
  ["", { hostname: "", portNames: [""], labels: [] }],
])("the key %j is read", (text, key) => {
  expect(parseServiceKey(text)).toEqual(key);
});

const word = fc.stringMatching(/^[a-z0-9.-]+$/);

test("what is written is read back", () => {
  fc.assert(
    fc.property(word, word, fc.dictionary(word, word), (hostname, port, labels) => {
      const read = parseServiceKey(serviceKey(hostname, port, labels));
      const sets = Object.keys(labels).length === 0 ? [] : [{ ...labels }];
      expect({ ...read, labels: read.labels.map((set) => ({ ...set })) }).toEqual({
        hostname,
        portNames: [port],
        labels: sets,
      });
    }),
  );
});

test("0.2 names clusters by the SHA-1 of their key", () => {
  expect(outboundName(`${host}|http-status`, "0.2")).toBe("out.81c187d71467b1608736c57bb0734f9ef9b68f7d");
  expect(outboundName("world.default.svc.cluster.local|http|version=v0", "0.2")).toBe(
    "out.c76febe0f151b2f8abe0f377d2052c0fbbfb959d",
  );
  expect(egressProxyName("httpbin.default.svc.cluster.local|http")).toBe(
    "ae8d3361601f8293abe6ac5e4d807124612cf42e",
  );
});

test("0.7 names them by the key itself, and a name of more than 189 characters ends in its hash", () => {
  expect(outboundName(`${host}|http`, "0.7")).toBe(`out.${host}|http`);
  const long = "a".repeat(186);
  expect(outboundName(long.slice(1), "0.7")).toBe(`out.${long.slice(1)}`);
  const cut = outboundName(long, "0.7");
  expect(cut).toMatch(/^out\.a{145}[0-9a-f]{40}$/);
  expect(outboundName(`${long}b`, "0.7")).not.toBe(cut);
});
