import { expect, test } from "vitest";
import { endpoint, service } from "./builders.test-helper.ts";
import { type ServiceTable, serviceTable } from "./service-table.ts";
import { keyText } from "./table-bank.ts";
import { TableOwners } from "./table-owners.ts";

const table = (hostname: string): ServiceTable =>
  serviceTable(service(hostname), () => [endpoint("10.0.0.1")]);

/** Plans and commits, as the applier does; returns the values that service keys are to have. */
function apply(
  owners: TableOwners,
  changes: Record<string, ServiceTable | undefined>,
): (Uint8Array | undefined)[] {
  const map = new Map(Object.entries(changes));
  const plan = owners.plan(map);
  owners.commit(map);
  return [...plan.services.values()];
}

test("an address that two services claim goes to the first by name, in whatever order they come", () => {
  const [a, b] = [table("a"), table("b")];
  const one = new TableOwners();
  apply(one, { b });
  expect(apply(one, { a })).toEqual([a.services[0]?.value]);
  const other = new TableOwners();
  apply(other, { a });
  expect(apply(other, { b })).toEqual([a.services[0]?.value]);
});

test("an address that moves ends with its new owner", () => {
  const [a, b] = [table("a"), table("b")];
  const owners = new TableOwners();
  apply(owners, { a });
  apply(owners, { b });
  expect(apply(owners, { a: undefined })).toEqual([b.services[0]?.value]);
  expect(apply(owners, { b: undefined })).toEqual([undefined]);
});

test("slots of a changed service that are no longer wanted go", () => {
  const owners = new TableOwners();
  const two = serviceTable(service("a"), () => [endpoint("10.0.0.1"), endpoint("10.0.0.2")]);
  apply(owners, { a: two });
  const plan = owners.plan(new Map([["a", table("a")]]));
  expect(plan.slots.get(keyText(two.slots[1]?.key ?? new Uint8Array()))).toBeUndefined();
  expect(plan.slots.size).toBe(2);
});

test("a plan changes nothing by itself", () => {
  const owners = new TableOwners();
  owners.plan(new Map([["a", table("a")]]));
  expect(apply(owners, { b: table("b") })).toEqual([table("b").services[0]?.value]);
});
