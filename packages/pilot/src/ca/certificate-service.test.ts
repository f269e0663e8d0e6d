import { createPrivateKey, X509Certificate } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificate, makeCsr, makeRoot, type TestCertificate } from "../testing/test-certificates.ts";
import { TestIssuer, type TokenOptions } from "../testing/test-issuer.ts";
import { TestSecurePort, trustDomain } from "../testing/test-secure-port.ts";

const spiffeId = "spiffe://cluster.local/ns/default/sa/reviews";
const hourMs = 3_600_000;

let port: TestSecurePort;
let csr: Awaited<ReturnType<typeof makeCsr>>;

beforeAll(async () => {
  [port, csr] = await Promise.all([
    TestSecurePort.start(),
    makeCsr({
      subject: [{ O: ["anything"] }],
      names: [{ type: "url", value: "spiffe://cluster.local/ns/x/sa/admin" }],
    }),
  ]);
});

afterAll(async () => port[Symbol.asyncDispose]());

const workload = (options: Parameters<typeof makeCertificate>[0] = {}): Promise<TestCertificate> =>
  makeCertificate({ names: [{ type: "url", value: spiffeId }], issuer: port.root, ...options });

describe("CreateCertificate", () => {
  test("gives a caller with a token a certificate of its own identity, whatever names it asked for", async () => {
    const token = await port.issuer.token();
    const chain = await port.createCertificate({ csr: csr.pem, validityDuration: 3600n }, { token });
    const leaf = new X509Certificate(chain[0] ?? "");
    expect(leaf.subjectAltName).toBe(`URI:${spiffeId}`);
    expect(leaf.verify(new X509Certificate(port.root.certificate).publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(csr.key))).toBe(true);
    expect(leaf.validToDate.getTime() - Date.now()).toBeLessThanOrEqual(hourMs);
    expect(leaf.validToDate.getTime() - Date.now()).toBeGreaterThan(hourMs - 60_000);
    expect(chain.at(-1)).toBe(port.root.certificate);
  });

  test("gives a caller with such a certificate the next one", async () => {
    const token = await port.issuer.token();
    const [first = ""] = await port.createCertificate({ csr: csr.pem }, { token });
    const next = await makeCsr();
    const chain = await port.createCertificate(
      { csr: next.pem },
      { certificate: { certificate: first, key: csr.key } },
    );
    expect(new X509Certificate(chain[0] ?? "").subjectAltName).toBe(`URI:${spiffeId}`);
  });

  test.each<[string, string, bigint, grpc.status, RegExp]>([
    ["garbage", "\0garbage", 0n, grpc.status.INVALID_ARGUMENT, /no PEM block/],
    ["nothing", "", 0n, grpc.status.INVALID_ARGUMENT, /no PEM block/],
    ["too much", "x".repeat(100_000), 0n, grpc.status.INVALID_ARGUMENT, /100000 characters; at most 65536/],
    ["more than 90 days", "good", 7_776_001n, grpc.status.INVALID_ARGUMENT, /7776001 s .* at most 7776000 s/],
  ])("refuses %s", async (_, text, validityDuration, code, details) => {
    const token = await port.issuer.token();
    const request = { csr: text === "good" ? csr.pem : text, validityDuration };
    const refused = port.createCertificate(request, { token });
    await expect(refused).rejects.toMatchObject({ code, details: expect.stringMatching(details) });
  });

  test("refuses to act for another identity", async () => {
    const metadata = { ImpersonatedIdentity: "spiffe://cluster.local/ns/istio-system/sa/admin" };
    const refused = port.createCertificate({ csr: csr.pem, metadata }, { token: await port.issuer.token() });
    await expect(refused).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
  });
});

describe("a caller is refused", () => {
  const expectRefused = async (
    caller: Parameters<TestSecurePort["createCertificate"]>[1],
    details: RegExp,
  ): Promise<void> => {
    await expect(port.createCertificate({ csr: csr.pem }, caller)).rejects.toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: expect.stringMatching(details),
    });
  };

  test("that shows nothing", async () => {
    await expectRefused({}, /neither a client certificate nor a bearer token/);
  });

  test.each<[string, TokenOptions, RegExp]>([
    ["has ended", { expiresIn: -1 }, /"exp" claim/],
    ["is for somebody else", { audience: "vault" }, /unexpected "aud" claim/],
    ["is another issuer's", { issuer: "https://elsewhere.test" }, /unexpected "iss" claim/],
    ["names an unknown key", { keyId: "key-9" }, /no applicable key/],
  ])("whose token %s", async (_, options, reason) => {
    await expectRefused({ token: await port.issuer.token(options) }, reason);
  });

  test("whose token is forged", async () => {
    const forger = await TestIssuer.create(port.issuer.keyId);
    await expectRefused({ token: await forger.token() }, /signature verification failed/);
  });

  test.each<[string, () => Promise<TestCertificate>]>([
    ["from another root", async () => workload({ issuer: await makeRoot(trustDomain) })],
    ["that has ended", () => workload({ from: -2 * hourMs, to: -hourMs })],
    ["that it signed itself", () => makeCertificate({ names: [{ type: "url", value: spiffeId }] })],
  ])("with a client certificate %s, with a good token, too", async (_, make) => {
    const certificate = await make();
    await expectRefused({ certificate }, /the client certificate is not accepted/);
    await expectRefused(
      { certificate, token: await port.issuer.token() },
      /the client certificate is not accepted/,
    );
  });

  test.each<[string, string[], RegExp]>([
    ["two identities", [spiffeId, "spiffe://cluster.local/ns/a/sa/b"], /has 2 URI names/],
    ["no identity", [], /has 0 URI names/],
    ["an identity of another mesh", ["spiffe://elsewhere/ns/a/sa/b"], /trust domain is elsewhere/],
    ["another kind of identity", ["spiffe://cluster.local/node/a"], /is not spiffe:/],
  ])("with a client certificate of our root that has %s", async (_, uris, reason) => {
    const certificate = await workload({ names: uris.map((value) => ({ type: "url", value })) });
    await expectRefused({ certificate }, reason);
  });
});

test("messages that cannot be read are refused, and the next one is served", async () => {
  const token = await port.issuer.token();
  // A Struct in a Struct in a Struct …, each in the field `metadata`, and its one field's value, of the one around it.
  let nested: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 2_000; depth += 1)
    nested = field(1, Buffer.concat([field(1, Buffer.from("a")), field(2, field(5, nested))]));
  const messages = [
    Buffer.from("garbage"),
    Buffer.alloc(1_000, 0xff),
    field(4, nested),
    Buffer.alloc(5_000_000),
  ];
  for (const message of messages) {
    const client = port.client({ token });
    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      client.makeUnaryRequest(
        "/istio.v1.auth.IstioCertificateService/CreateCertificate",
        (bytes: Buffer) => bytes,
        String,
        message,
        resolve,
      );
    });
    client.close();
    expect(error?.code).toBeOneOf([
      grpc.status.INTERNAL,
      grpc.status.INVALID_ARGUMENT,
      grpc.status.RESOURCE_EXHAUSTED,
    ]);
  }
  await expect(port.createCertificate({ csr: csr.pem }, { token })).resolves.toHaveLength(3);
});

/** A length-delimited field of protobuf's encoding. */
function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
}

test("nothing that is secret is logged, however calls end", async () => {
  const secrets = [
    port.root.key,
    csr.key,
    await port.issuer.token(),
    await port.issuer.token({ expiresIn: -1 }),
  ];
  for (const token of secrets.slice(2)) {
    await port.createCertificate({ csr: csr.pem }, { token }).catch(() => undefined);
  }
  await port.createCertificate({ csr: "\0" }, { token: secrets[2] ?? "" }).catch(() => undefined);
  const log = port.log.join("\n");
  expect(log).toContain("caller not authenticated");
  // The middle of a token is its claims, the end its signature; PEM stands in JSON with its lines escaped.
  const pieces = secrets.flatMap((secret) => secret.split(/[.\n]/).filter((piece) => piece.length > 20));
  for (const piece of pieces.filter((text) => !text.startsWith("-----"))) expect(log).not.toContain(piece);
});

test("metrics tell what was asked for and why it was refused", async () => {
  await using own = await TestSecurePort.start();
  const token = await own.issuer.token();
  await own.createCertificate({ csr: csr.pem }, { token });
  await own.createCertificate({ csr: "x" }, { token }).catch(() => undefined);
  await own.createCertificate({ csr: csr.pem }, {}).catch(() => undefined);
  const text = await own.registry.metrics();
  expect(text).toContain("citadel_server_csr_count 3");
  expect(text).toContain("citadel_server_success_cert_issuance_count 1");
  expect(text).toContain("citadel_server_authentication_failure_count 1");
  expect(text).toContain('citadel_server_csr_sign_err_count{error="CSR_ERROR"} 1');
  const end = new X509Certificate(own.root.certificate).validToDate.getTime() / 1000;
  expect(text).toContain(`citadel_server_root_cert_expiry_timestamp ${end}`);
});
