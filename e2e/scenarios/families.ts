import { type Family, families } from "./reviews-world.ts";

/** What may look at the same thing over any family of addresses. */
export interface OverFamilies {
  /** Families that it is run over; all if left out. */
  readonly over?: readonly Family[];
}

/** The families that a scenario is to be run over. */
export const familiesOf = ({ over = families }: OverFamilies): readonly Family[] => over;

/** Those of the scenarios that are to be run over a family. */
export const scenariosOver = <Scenario extends OverFamilies>(
  family: Family,
  scenarios: readonly Scenario[],
): readonly Scenario[] => scenarios.filter((scenario) => familiesOf(scenario).includes(family));
