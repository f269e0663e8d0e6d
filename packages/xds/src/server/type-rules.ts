/** How a type of resources is served. */
export interface TypeRule {
  readonly typeUrl: string;
  /**
   * Whether a first request without names wants everything, and whether in the state of the world a response holds all
   * that is wanted, so that what it lacks is gone. True if left out.
   */
  readonly wildcard?: boolean;
  /**
   * Types of a lower stage are sent, and answered by clients of `settling` types, before any of this one; 0 if left out.
   */
  readonly stage?: number;
  /**
   * A client answers only when it uses what it was sent, and goes on asking and reading meanwhile: later stages wait for
   * its answer. (An Envoy acks clusters when the new ones are warm.)
   */
  readonly settling?: boolean;
  /** A request is answered at once although the type is of a later stage: what is of an earlier one needs it. */
  readonly prompt?: boolean;
  /** May run ahead of a push that waits for answers of other types: what refers to it does not depend on its content. */
  readonly independent?: boolean;
  /**
   * A type of which the client needs the resource of the same name again after each of this one: an Envoy that is sent a
   * cluster waits for endpoints, whether it had some before or not.
   */
  readonly followedBy?: string;
  /**
   * What is gone is told together with what is new, which may take its place: two listeners of one address cannot be
   * there at once. Only for types that nothing refers to.
   */
  readonly takesPlaces?: boolean;
  /** Clients drop what they do not use by themselves, and must not be told to. */
  readonly neverRemoved?: boolean;
  /** Resources are told without their version, so that clients are sent all again on a new stream. */
  readonly unversioned?: boolean;
  /** How versions of responses look: the snapshot's number, or time and number as istiod's. "number" if left out. */
  readonly versionForm?: "number" | "time";
  /** Clients tell something and get no answer. */
  readonly reportOnly?: boolean;
}

/** Types that differ in nothing but their order. */
export const rulesInOrder = (typeUrls: readonly string[]): TypeRule[] =>
  typeUrls.map((typeUrl) => ({ typeUrl }));

/** The rules of all types, in the order of reference: what is referred to first. */
export class TypeRules {
  private readonly rules: ReadonlyMap<string, TypeRule>;
  private readonly places: ReadonlyMap<string, number>;

  constructor(rules: readonly TypeRule[]) {
    this.rules = new Map(rules.map((rule) => [rule.typeUrl, rule]));
    this.places = new Map(rules.map(({ typeUrl }, index) => [typeUrl, index]));
  }

  of(typeUrl: string): TypeRule {
    return this.rules.get(typeUrl) ?? { typeUrl };
  }

  /** For sorting by the order of reference; types without a rule come last. */
  placeOf(typeUrl: string): number {
    return this.places.get(typeUrl) ?? this.places.size;
  }
}
