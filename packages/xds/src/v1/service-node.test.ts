import { expect, test } from "vitest";
import { parseServiceNode, ServiceNodeError } from "./service-node.ts";

test("a proxy's name is its type, address, id and domain", () => {
  const text = "sidecar~10.1.1.0~v0.default~default.svc.cluster.local";
  for (const age of ["0.2", "0.7"] as const) {
    expect(parseServiceNode(text, age)).toEqual({
      type: "sidecar",
      address: "10.1.1.0",
      id: "v0.default",
      domain: "default.svc.cluster.local",
    });
  }
});

test("0.2 takes whatever has four parts", () => {
  expect(parseServiceNode("~~~", "0.2")).toEqual({ type: "", address: "", id: "", domain: "" });
  expect(parseServiceNode("egress~x~y~z", "0.2").type).toBe("egress");
});

test.each([
  ["0.2", "", /it has 1, and type~ip~id~domain has 4/],
  ["0.2", "a~b~c", /missing parts .*"a~b~c".* it has 3/],
  ["0.2", "a~b~c~d~e", /it has 5/],
  ["0.7", "egress~1.2.3.4~a.b~c", /invalid node type "egress".*sidecar, ingress, router/],
  ["0.7", "sidecar~1.2.3~a.b~c", /invalid IP address "1\.2\.3"/],
] as const)("%s refuses %j", (age, text, error) => {
  expect(() => parseServiceNode(text, age)).toThrow(ServiceNodeError);
  expect(() => parseServiceNode(text, age)).toThrow(error);
});

test("0.7 wants addresses of sidecars only, of either family", () => {
  expect(parseServiceNode("ingress~~a.b~c", "0.7").type).toBe("ingress");
  expect(parseServiceNode("sidecar~fd00::1~a.b~c", "0.7").address).toBe("fd00::1");
});

test("an error does not repeat all of a long name", () => {
  expect(() => parseServiceNode("x".repeat(10_000), "0.2")).toThrow(/^.{0,400}$/);
});
