import {
  balancing,
  type SlotValue,
  slotKey,
  slotValue,
  switchedDestinationKey,
  switchedDestinationValue,
  switchedRuleKey,
  switchedRuleValue,
} from "@keelson/bpf";
import { formatEndpoint } from "@keelson/model";
import { expect } from "vitest";
import type { ServiceTable } from "../service-table.ts";

export const fail = (): never => {
  throw new Error("the service has no port");
};

/** Slots of a list, in their order. */
function slotsOf(table: ServiceTable, slots: bigint): SlotValue[] {
  return table.slots
    .filter((slot) => slotKey.decode(slot.key).slots === slots)
    .map((slot) => slotValue.decode(slot.value));
}

export const nameOf = ({ address, port }: SlotValue): string => formatEndpoint(address, port);

/** Destination → how an endpoint is chosen, and those of its slots. */
export function destinationsOf(
  table: ServiceTable,
  hasSlots = true,
): ReadonlyMap<bigint, { how: string; among: readonly SlotValue[] }> {
  return new Map(
    table.switchedDestinations.map(({ key, value }) => {
      const { slots, count, balancing: kind } = switchedDestinationValue.decode(value);
      const among = slotsOf(table, slots);
      if (hasSlots) expect(among).toHaveLength(count);
      const [how = ""] = Object.entries(balancing).find(([, each]) => each.value === kind) ?? [];
      return [switchedDestinationKey.decode(key).destination, { how, among }];
    }),
  );
}

/** What each slot is drawn for, and how often. */
function sharesOf(among: readonly SlotValue[]): [SlotValue, number][] {
  const shares = among.map((slot): [SlotValue, number] => [slot, 0]);
  const add = (index: number, share: number): void => {
    const [slot, before] = shares[index] ?? fail();
    shares[index] = [slot, before + share / among.length];
  };
  for (const [index, { alias, threshold }] of among.entries()) {
    const kept = alias === index ? 1 : threshold / 2 ** 32;
    add(index, kept);
    if (kept < 1) add(alias, 1 - kept);
  }
  return shares;
}

/** Of every endpoint as long as none has anything under way. */
function endpointShares(
  table: ServiceTable,
  draw: readonly SlotValue[],
  balances: boolean,
): [string, number][] {
  const destinations = destinationsOf(table);
  return sharesOf(draw).flatMap(([slot, share]) => {
    if (!balances) return [[nameOf(slot), share]];
    const { how, among } = destinations.get(slot.endpoint) ?? fail();
    const within =
      how === "roundRobin"
        ? among.map((each): [SlotValue, number] => [each, 1 / among.length])
        : sharesOf(among);
    return within.map(([each, part]): [string, number] => [nameOf(each), share * part]);
  });
}

/** Rule → the shares of its endpoints. */
export function ruleShares(table: ServiceTable, family = 4): Record<number, Record<string, number>> {
  const rules = table.switchedRules.filter(({ key }) => switchedRuleKey.decode(key).family === family);
  return Object.fromEntries(
    rules.map(({ key, value }) => {
      const { slots, slotCount, balances } = switchedRuleValue.decode(value);
      const draw = slotsOf(table, slots);
      expect(draw).toHaveLength(slotCount);
      const shares: Record<string, number> = {};
      for (const [name, share] of endpointShares(table, draw, balances === 1))
        shares[name] = (shares[name] ?? 0) + share;
      const rounded = Object.entries(shares).map(([name, share]) => [name, Number(share.toFixed(6))]);
      return [switchedRuleKey.decode(key).rule, Object.fromEntries(rounded)];
    }),
  );
}
