import { sameShares } from "../world/statistics.ts";
import type { Tally } from "../world/tally.ts";
import { until } from "../world/until.ts";
import { type Carrier, Carriers } from "./carrier.ts";
import type { Case } from "./cases.ts";
import { type Compared, type Comparison, comparisonOf } from "./comparison.ts";
import {
  askedOf,
  describe,
  type Expectation,
  expectationOf,
  isMirrored,
  mayDiffer,
  nearest,
  type Place,
  placesOf,
  wrongly,
} from "./expectation.ts";
import { RelaySide } from "./relay-side.ts";
import { isSame, type Seen } from "./seen.ts";
import { SwitchingNode } from "./switching-node.ts";

export interface NodeComparison extends Comparison {
  /** Questions that programs are to take; each that they never took is among those that are different. */
  readonly owed: number;
  /** Requests that programs took. */
  readonly taken: number;
  /** Answers to them that programs moved. */
  readonly moved: number;
  /** Questions that go several ways, by chance, and whose shares were compared. */
  readonly shared: number;
}

/** How often a question is asked whose shares are compared. */
const askedForShares = 100;
/**
 * How many of these programs have to take, if they are theirs: to each endpoint the first finds no link, and if the relay carries
 * the answer to one that they have taken, the next mostly comes before it has handed back.
 */
const leastTaken = 30;

/** Asks a real Envoy and a node whose programs take requests the same questions under the same rules. */
export async function compareNodeWithEnvoy(cases: readonly Case[]): Promise<NodeComparison> {
  await using node = await SwitchingNode.start(cases);
  const compared: ComparedOnNode[] = [];
  // One after the other: counters say of one request at a time who has carried it.
  for (const [number, one] of cases.entries())
    compared.push(...(await new CaseOnNode(node, one, number).compare()));
  return {
    ...comparisonOf(compared),
    owed: compared.filter(({ isOwed }) => isOwed).length,
    taken: node.count("switched_requests"),
    moved: node.count("moved_answers"),
    shared: compared.filter(({ isShared }) => isShared).length,
  };
}

interface ComparedOnNode extends Compared {
  readonly isOwed: boolean;
  readonly isShared: boolean;
}

class CaseOnNode {
  private readonly node: SwitchingNode;
  private readonly places: readonly Place[];
  private readonly policy: RelaySide;
  private readonly carriers: Carriers;
  private asked = 0;
  private sharesCompared = false;

  constructor(node: SwitchingNode, one: Case, number: number) {
    this.node = node;
    this.places = placesOf(one, number);
    this.policy = new RelaySide(one, number, node.echoPort, node.callerAddress);
    this.carriers = new Carriers(one, number);
  }

  async compare(): Promise<readonly ComparedOnNode[]> {
    const compared: ComparedOnNode[] = [];
    for (const place of this.places) compared.push(await this.compareOne(place));
    return compared;
  }

  private async compareOne(place: Place): Promise<ComparedOnNode> {
    const expected = await expectationOf(place, { envoy: this.node.envoy, policy: this.policy });
    const { envoy, ways, way } = expected;
    const carrier = this.carriers.of(askedOf(place, false));
    const isShared = !this.sharesCompared && isLeftToChance(ways);
    this.sharesCompared ||= isShared;
    const different =
      way === -1
        ? describe(place, nearest(ways, envoy), envoy)
        : ((await this.differs(place, expected, carrier)) ??
          (isShared ? await this.sharesDiffer(place, expected, carrier) : undefined));
    return { envoy, isOwed: carrier === "programs", isShared, different };
  }

  /** Asks until who is to carry it has. @returns in words how an answer differs, or who has carried it instead */
  private async differs(place: Place, expected: Expectation, carrier: Carrier): Promise<string | undefined> {
    let different: string | undefined;
    const ask = async (): Promise<boolean> => {
      const before = this.node.count("switched_requests");
      const seen = await this.ask(place, expected.ways.some(isMirrored));
      const isTaken = this.node.count("switched_requests") > before;
      different ??= differsFrom(place, expected, seen, isTaken ? "programs" : "relay");
      if (isTaken && carrier === "relay") different ??= wrongly(place, "programs took what is the relay's");
      return isTaken;
    };
    // A connection's first request is the relay's, and so is one that finds no link.
    await ask();
    if (carrier !== "programs") await ask();
    else
      await until(async () => different !== undefined || (await ask()), soon).catch((error: Error) => {
        different ??= wrongly(place, error.message);
      });
    return different;
  }

  private async sharesDiffer(
    place: Place,
    { ways }: Expectation,
    carrier: Carrier,
  ): Promise<string | undefined> {
    // By a cookie that is made all requests of one connection have one endpoint of a subset, of another one perhaps another.
    const key = ways.some(({ headers }) => headers.includes("set-cookie")) ? subsetOf : whereTo;
    const before = this.node.count("switched_requests");
    const seen: Record<"envoy" | "node", Tally> = { envoy: {}, node: {} };
    for (let i = 0; i < askedForShares; i++) {
      const asked = askedOf(place, false, `-${(this.asked += 1)}`);
      addTo(seen.envoy, key(await this.node.envoy.ask(asked)));
      addTo(seen.node, key(await this.ask(place, false)));
    }
    const taken = this.node.count("switched_requests") - before;
    if (carrier === "programs" && taken < leastTaken)
      return wrongly(place, `programs took ${taken} of ${askedForShares} requests`);
    const { statistic, bound } = sameShares(seen.envoy, seen.node);
    if (statistic <= bound) return undefined;
    const found = `chi-square ${statistic.toFixed(1)}, at most ${bound} expected`;
    return wrongly(place, `shares are ${JSON.stringify(seen)}: ${found}`);
  }

  private ask(place: Place, awaitsMirror: boolean): Promise<Seen> {
    return this.node.side(place.number).ask(askedOf(place, awaitsMirror, `-node-${(this.asked += 1)}`));
  }
}

/** Links are opened for the next request once one has found none. */
const soon = { what: "programs to take it", timeoutMs: 30_000, everyMs: 1 };

/** The endpoint, or the status of an answer that is the proxy's own. */
const whereTo = ({ address, status, echo }: Seen): string => (echo === "" ? `${status}` : address);

const subsetOf = (seen: Seen): string => whereTo(seen).replace(/[.][0-9]+$/, "");

const isLeftToChance = (ways: readonly Seen[]): boolean =>
  new Set(ways.map(whereTo)).size > 1 || ways.some((way) => whereTo(way) === "");

const addTo = (tally: Tally, key: string): void => {
  tally[key] = (tally[key] ?? 0) + 1;
};

function differsFrom(
  place: Place,
  { ways, envoy }: Expectation,
  seen: Seen,
  carrier: string,
): string | undefined {
  const isRight = ways.some((way) => isSame(way, seen) || mayDiffer(way, seen, way));
  return isRight ? undefined : `by ${carrier}: ${describe(place, seen, nearest(ways, envoy))}`;
}
