import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { TestIssuer, type TokenOptions } from "../testing/test-issuer.ts";
import { JwtAuthenticator } from "./jwt-authenticator.ts";
import { type JwtRule, parseJwtRule } from "./jwt-rule.ts";

const trustDomain = "cluster.local";

let issuer: TestIssuer;
let authenticator: JwtAuthenticator;

beforeAll(async () => {
  issuer = await TestIssuer.create();
  authenticator = new JwtAuthenticator(issuer.rule(), trustDomain);
});

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("a token", () => {
  test("of the issuer tells the service account", async () => {
    expect(await authenticator.authenticate({ token: await issuer.token() })).toEqual({
      identity: { trustDomain, namespace: "default", serviceAccount: "reviews" },
      source: "JWT",
    });
  });

  test("that is bound to a node tells the node", async () => {
    const caller = await authenticator.authenticate({ token: await issuer.token({ node: "node-1" }) });
    expect(caller?.node).toBe("node-1");
  });

  test("may be for others, too", async () => {
    const token = await issuer.token({ audience: ["vault", "istio-ca"] });
    expect(await authenticator.authenticate({ token })).toBeDefined();
  });

  test("is not asked for", async () => {
    expect(await authenticator.authenticate({})).toBeUndefined();
  });

  const refused: [string, TokenOptions, RegExp][] = [
    ["has ended", { expiresIn: -1 }, /"exp" claim timestamp check failed/],
    ["never ends", { expiresIn: undefined }, /missing required "exp" claim/],
    ["does not count yet", { claims: { nbf: Date.now() / 1000 + 600 } }, /"nbf" claim/],
    ["is for somebody else", { audience: "kubernetes" }, /unexpected "aud"/],
    ["is for nobody", { claims: { aud: undefined as unknown as string } }, /missing required "aud"/],
    ["is another issuer's", { issuer: "https://issuer.test/" }, /unexpected "iss"/],
    [
      "is no service account's",
      { claims: { sub: "system:node:node-1" } },
      /"sub" is "system:node:node-1"; expected/,
    ],
    [
      "is of two minds about its service account",
      { claims: { sub: "system:serviceaccount:default:admin" } },
      /names another service account/,
    ],
    [
      "is of two minds about its namespace",
      { claims: { sub: "system:serviceaccount:admin:reviews" } },
      /names another service account/,
    ],
    [
      "is bound to nonsense",
      { claims: { "kubernetes.io": { node: "node-1" } } },
      /"kubernetes.io" is not as Kubernetes writes it/,
    ],
  ];

  test.each(refused)("that %s is refused", async (_, options, message) => {
    await expect(authenticator.authenticate({ token: await issuer.token(options) })).rejects.toThrow(message);
  });

  test("that another key signed is refused", async () => {
    const forger = await TestIssuer.create(issuer.keyId);
    await expect(authenticator.authenticate({ token: await forger.token() })).rejects.toThrow(
      /signature verification failed/,
    );
  });

  test("that nothing signed is refused, as is one that the public key signed as if it were a secret", async () => {
    const [, claims = ""] = (await issuer.token()).split(".");
    const none = `${encode({ alg: "none" })}.${claims}.`;
    await expect(authenticator.authenticate({ token: none })).rejects.toThrow();
    const head = encode({ alg: "HS256", kid: issuer.keyId });
    const signature = createHmac("sha256", issuer.jwks()).update(`${head}.${claims}`).digest("base64url");
    await expect(authenticator.authenticate({ token: `${head}.${claims}.${signature}` })).rejects.toThrow(
      /"alg"/,
    );
  });

  test("whose claims were changed is refused", async () => {
    const [head, claims = "", signature] = (await issuer.token()).split(".");
    const changed = {
      ...(JSON.parse(Buffer.from(claims, "base64url").toString()) as object),
      sub: "system:serviceaccount:default:admin",
    };
    const token = `${head}.${encode(changed)}.${signature}`;
    await expect(authenticator.authenticate({ token })).rejects.toThrow(/signature verification failed/);
  });

  test("that is any text is refused, and never quoted", async () => {
    const good = await issuer.token();
    const part = fc.oneof(
      fc.constantFrom(
        ...good.split("."),
        "",
        "e30",
        encode({ alg: "ES256" }),
        encode({ alg: "ES256", crit: ["x"] }),
      ),
      fc.base64String(),
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.jsonValue().map(encode),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (parts) => {
        const token = parts.join(".");
        fc.pre(token !== good);
        const error = await authenticator.authenticate({ token }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(Error);
        for (const text of parts.filter(({ length }) => length > 20))
          expect((error as Error).message).not.toContain(text);
      }),
    );
  });
});

describe("the issuer's keys", () => {
  const accepts = async (rule: JwtRule, from: TestIssuer, options: TokenOptions = {}): Promise<boolean> =>
    new JwtAuthenticator(rule, trustDomain).authenticate({ token: await from.token(options) }).then(
      () => true,
      () => false,
    );

  test("are tried one by one for a token that names none", async () => {
    const [second, stranger] = [await TestIssuer.create("key-2"), await TestIssuer.create("key-3")];
    const rule = { ...issuer.rule(), jwks: issuer.jwks(second) };
    expect(await accepts(rule, second, { keyId: "" })).toBe(true);
    expect(await accepts(rule, issuer, { keyId: "" })).toBe(true);
    expect(await accepts(rule, stranger, { keyId: "" })).toBe(false);
    expect(await accepts(rule, issuer, { keyId: "", expiresIn: -1 })).toBe(false);
  });

  test("may stand in a file, and be replaced there", async () => {
    const directory = mkdtempSync(join(tmpdir(), "keelson-"));
    try {
      const path = join(directory, "keys.json");
      const { jwks: _, ...rest } = issuer.rule();
      const rule = { ...rest, jwksUri: pathToFileURL(path) };
      const fromFile = new JwtAuthenticator(rule, trustDomain);
      const next = await TestIssuer.create("key-2");
      await expect(fromFile.authenticate({ token: await issuer.token() })).rejects.toThrow(
        /cannot read the issuer's keys: ENOENT/,
      );
      writeFileSync(path, issuer.jwks());
      expect(await fromFile.authenticate({ token: await issuer.token() })).toBeDefined();
      writeFileSync(path, next.jwks());
      expect(await fromFile.authenticate({ token: await next.token() })).toBeDefined();
      await expect(fromFile.authenticate({ token: await issuer.token() })).rejects.toThrow(
        /no applicable key/,
      );
      writeFileSync(path, "{");
      await expect(fromFile.authenticate({ token: await next.token() })).rejects.toThrow(
        /keys.json: not a JSON Web Key Set/,
      );
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("are fetched from where the rule, or the issuer's discovery document, says", async () => {
    const asked: string[] = [];
    let discovered = {};
    const server = createServer(({ url = "" }, response) => {
      asked.push(url);
      if (url === "/keys") response.end(issuer.jwks());
      else if (url.endsWith("openid-configuration")) response.end(JSON.stringify(discovered));
      else response.writeHead(404).end();
    }).listen(0, "127.0.0.1");
    try {
      await once(server, "listening");
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { jwks: _, ...rest } = issuer.rule();
      expect(await accepts({ ...rest, jwksUri: new URL(`${base}/keys`) }, issuer)).toBe(true);
      expect(await accepts({ ...rest, jwksUri: new URL(`${base}/none`) }, issuer)).toBe(false);
      expect(asked).toEqual(["/keys", "/none"]);

      const byDiscovery = new JwtAuthenticator({ issuer: base, audiences: ["istio-ca"] }, trustDomain);
      const token = await issuer.token({ issuer: base });
      discovered = { issuer: "https://elsewhere.test", jwks_uri: `${base}/keys` };
      await expect(byDiscovery.authenticate({ token })).rejects.toThrow(/is about another issuer/);
      discovered = { issuer: base, jwks_uri: `${base}/keys` };
      expect(await byDiscovery.authenticate({ token })).toBeDefined();
      asked.length = 0;
      expect(await byDiscovery.authenticate({ token })).toBeDefined();
      expect(asked).toEqual([]);
    } finally {
      server.close();
    }
  });
});

describe("JWT_RULE", () => {
  const parse = (rule: unknown): JwtRule => parseJwtRule(JSON.stringify(rule), ["istio-ca"]);

  test("has an issuer, audiences or the default ones, and keys", () => {
    expect(parse({ issuer: "a", jwks_uri: "https://a.test/keys", audiences: ["x"] })).toEqual({
      issuer: "a",
      audiences: ["x"],
      jwksUri: new URL("https://a.test/keys"),
    });
    expect(parse({ issuer: "a", jwksUri: "file:///keys.json" }).jwksUri?.pathname).toBe("/keys.json");
    expect(parse({ issuer: "a", jwks: "{}" })).toEqual({ issuer: "a", audiences: ["istio-ca"], jwks: "{}" });
  });

  test.each<[string, RegExp]>([
    ["{", /JWT_RULE is not JSON/],
    ["[]", /JWT_RULE is not right/],
    ['{"issuer": ""}', /issuer/],
    ['{"issuer": "a", "jwks_uri": "ftp://a"}', /jwks_uri "ftp:\/\/a" is not an http, https or file URL/],
    ['{"issuer": "a", "jwks_uri": "http://a", "jwks": "{}"}', /both jwks and jwks_uri/],
    ['{"issuer": "a", "audiences": []}', /no audiences/],
  ])("%s is refused", (text, message) => {
    expect(() => parseJwtRule(text, ["istio-ca"])).toThrow(message);
  });

  test("with keys that are none is refused at once", () => {
    expect(() => new JwtAuthenticator({ ...issuer.rule(), jwks: "{}" }, trustDomain)).toThrow(
      /JWT_RULE's jwks/,
    );
  });
});
