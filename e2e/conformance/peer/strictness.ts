import type { Response, Variant } from "./messages.ts";
import { check } from "./nonconformity.ts";
import { isWildcardType, shortName } from "./types.ts";

/** What a client knows of its stream when a response comes. */
export interface StreamFacts {
  readonly variant: Variant;
  /** Type → names that were ever asked for on the stream. */
  readonly asked: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of the responses before. */
  readonly nonces: ReadonlySet<string>;
}

/** What must hold of every response, whatever a case is about. @throws Nonconformity */
export function checkResponse(response: Response, { variant, asked, nonces }: StreamFacts): void {
  const { typeUrl, nonce, version, resources, removed } = response;
  const what = `a ${shortName(typeUrl)} response`;
  const names = resources.map(({ name }) => name);
  const known = asked.get(typeUrl);
  check(known !== undefined, "responses of types that were asked for, and no others", what);
  check(nonce !== "", `${what} with a nonce`, "one without");
  check(!nonces.has(nonce), `${what} with a nonce of its own`, `"${nonce}" once more`);
  check(variant === "delta" || version !== "", `${what} with a version`, "one without");
  check(new Set(names).size === names.length, `${what} with each resource once`, names);
  const gone = new Set(removed);
  const both = names.filter((name) => gone.has(name));
  check(
    both.length === 0,
    `${what} that brings a resource or removes it`,
    `one that does both with ${both.join(", ")}`,
  );
  for (const { name, bodyName, typeUrl: bodyType } of resources) {
    check(bodyType === typeUrl, `resources of the response's type ${typeUrl}`, bodyType);
    check(bodyName === undefined || bodyName === name, `the resource "${name}"`, `a body of "${bodyName}"`);
    const wanted = isWildcardType(typeUrl) || known.has(name);
    check(wanted, `${what} with nothing but what was asked for by name`, `"${name}", too`);
  }
}
