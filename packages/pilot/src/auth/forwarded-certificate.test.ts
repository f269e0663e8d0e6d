import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ForwardedCertificateAuthenticator } from "./forwarded-certificate.ts";

const trustDomain = "cluster.local";
const reviews = "spiffe://cluster.local/ns/default/sa/reviews";
const identity = { trustDomain, namespace: "default", serviceAccount: "reviews" };
const authenticator = new ForwardedCertificateAuthenticator(["10.0.0.0/8", "2001:db8::/32"], trustDomain);

const from = (address: string, header: string) =>
  authenticator.authenticate({ forwarded: { address, header } });

describe("x-forwarded-client-cert", () => {
  test.each(["10.1.2.3", "2001:db8::1", "127.0.0.1", "::1", "::ffff:10.1.2.3"])(
    "of %s is believed",
    async (address) => {
      expect(await from(address, `Hash=abc;URI=${reviews}`)).toEqual({
        identity,
        source: "x-forwarded-client-cert",
      });
    },
  );

  test.each(["11.0.0.1", "2001:db9::1", "", "10.1.2.3.example.com"])("of %j is not", async (address) => {
    await expect(from(address, `URI=${reviews}`)).rejects.toThrow(
      "which is in no network of TRUSTED_GATEWAY_CIDR",
    );
  });

  test("is not asked for", async () => {
    expect(await authenticator.authenticate({})).toBeUndefined();
  });

  test("is read in Envoy's syntax", async () => {
    const header = `By=spiffe://x;Hash=ab;Subject="CN=\\"a;b\\", O=c, URI=spiffe://y";URI="${reviews}";DNS=a.test`;
    expect((await from("10.0.0.1", header))?.identity).toEqual(identity);
  });

  test.each([
    ["two certificates", `URI=${reviews},URI=${reviews}`, "does not tell of one certificate"],
    ["two names", `URI=${reviews};URI=${reviews}`, "has 2 URI names"],
    ["no name", "Hash=abc", "has 0 URI names"],
    ["an unclosed quotation", `URI="${reviews}`, "does not tell of one certificate"],
    ["another mesh's name", "URI=spiffe://elsewhere/ns/a/sa/b", "trust domain is elsewhere"],
    ["far too much", `URI=${"x".repeat(20_000)}`, "20004 characters; at most 16384"],
  ])("with %s is refused", async (_, header, message) => {
    await expect(from("10.0.0.1", header)).rejects.toThrow(message);
  });

  test("with any text tells one identity at most, and fails in no other way", async () => {
    const piece = fc.constantFrom("URI=", reviews, ";", ",", '"', "\\", "By=", "Subject=", "x", "=", " ");
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const header = pieces.join("");
        const caller = await from("10.0.0.1", header).catch((error: unknown) => {
          expect(error).toBeInstanceOf(Error);
          return undefined;
        });
        if (caller !== undefined) expect(header).toMatch(/(^|;)URI="?spiffe:[^,]*$/);
      }),
    );
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/8/8", "::/129", "10.0.0.0/"])(
    "takes no network %s",
    (network) => {
      expect(() => new ForwardedCertificateAuthenticator([network], trustDomain)).toThrow(
        `"${network}" is not a network`,
      );
    },
  );
});
