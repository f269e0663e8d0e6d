import { expect, test } from "vitest";
import { ModelBuilder } from "../model-builder.ts";
import { parseObject } from "../parse-object.ts";
import { otherKey, pair } from "../testing/certificates.ts";
import { type Manifest, originAt, readAs, UnchangedStaysTheSame } from "../testing/manifests.ts";
import { certificateIn } from "./certificate.ts";
import { rootsIn } from "./roots.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const secret = (data: Record<string, string>, more: Record<string, unknown> = {}): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "a", namespace: "shop" },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
  ...more,
});
const contentOf = (manifest: Manifest) => readAs("Secret", manifest).body;
const problemsOf = (manifest: Manifest) =>
  parseObject(manifest, originAt("a.yaml")).problems.map(({ severity, message }) => `${severity} ${message}`);
const bytes = (text: string) => new TextEncoder().encode(text);
const { cert, key } = pair;

test("cert and key come before tls.crt and tls.key, and roots have keys of their own", () => {
  const generic = contentOf(
    secret({ cert, key, "tls.crt": "x", "tls.key": "y", cacert: "roots", crl: "gone" }),
  );
  expect(certificateIn(generic)).toEqual({
    chain: bytes(cert),
    privateKey: bytes(key),
    ocspStaple: bytes(""),
  });
  expect(rootsIn(generic)).toEqual({ certificates: bytes("roots"), revoked: bytes("gone") });
  const tls = contentOf(
    secret({
      "tls.crt": cert,
      "tls.key": key,
      "tls.ocsp-staple": "o",
      "ca.crt": "r",
      "ca.crl": "g",
      crl: "no",
    }),
  );
  expect(certificateIn(tls)).toEqual({ chain: bytes(cert), privateKey: bytes(key), ocspStaple: bytes("o") });
  expect(rootsIn(tls)).toEqual({ certificates: tls.values["ca.crt"], revoked: tls.values["ca.crl"] });
});

test.each([
  [{ username: "u" }, /neither tls.crt and tls.key, nor cert and key; found username$/],
  [{ cert: "", key: "" }, /nor cert and key with anything in them; found cert, key$/],
  [{ cert, key: otherKey }, /its key does not belong to its certificate/],
  [{ cert: "?", key }, /its chain is not PEM of a certificate/],
  [{ "tls.crt": cert, "tls.key": "?" }, /its key is not PEM/],
  [{ a: "1", b: "2", c: "3", d: "4", e: "5" }, /found a, b, c and 2 more/],
])("%o is no certificate", (data, why) => {
  expect(certificateIn(contentOf(secret(data)))).toEqual({ why: expect.stringMatching(why) as string });
});

test("no more is kept of a Secret than may be served, and of Helm's and tokens nothing", () => {
  const mixed = readAs("Secret", secret({ password: "p", "ca.crt": "r" }, { stringData: { key: "k" } }));
  expect(mixed.body).toMatchObject({ type: "Opaque", keys: ["ca.crt", "key", "password"] });
  expect(Object.keys(mixed.body.values)).toEqual(["key", "ca.crt"]);
  for (const type of ["helm.sh/release.v1", "kubernetes.io/service-account-token"])
    expect(contentOf(secret({ "ca.crt": "r" }, { type }))).toMatchObject({ keys: [], values: {} });
});

test("a broken certificate is an error in a TLS secret, and a warning elsewhere", () => {
  const broken = { "tls.crt": cert, "tls.key": otherKey };
  const text = "cannot be served as a certificate: its key does not belong to its certificate";
  expect(problemsOf(secret(broken, { type: "kubernetes.io/tls" }))).toEqual([`error ${text}`]);
  expect(problemsOf(secret(broken))).toEqual([`warning ${text}`]);
  expect(problemsOf(secret({ key: "of something else" }))).toEqual([]);
});

test("nothing of a Secret stands in what is said of it", () => {
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": '{"data": "hunter2"}' };
  const object = readAs("Secret", secret({}, { metadata: { name: "a", annotations } }));
  expect(object.metadata.annotations).toEqual({});
  const wrong = [
    secret({}, { data: { "tls.key": "hunter2 §" } }),
    secret({}, { data: "hunter2" }),
    secret({}, { stringData: { "tls.key": { hunter2: 1 } } }),
    secret({}, { metadata: { name: "a", annotations: { hunter: ["hunter2"] } } }),
  ].flatMap(problemsOf);
  expect(wrong).toHaveLength(4);
  expect(wrong.join()).not.toContain("hunter2");
});

test("credentials are the same objects as long as nothing of a namespace changes", () => {
  const builder = new ModelBuilder();
  const source = new UnchangedStaysTheSame();
  const at = (namespace: string, text: string, kind = "Secret") => ({
    ...secret({ "ca.crt": text }),
    kind,
    ...(kind === "ConfigMap" && { data: { "ca.crt": text } }),
    metadata: { name: "a", namespace },
  });
  const build = (...manifests: Manifest[]) => builder.build(source.read(manifests)).credentials;
  const first = build(at("x", "1"), at("y", "1"), at("x", "roots", "ConfigMap"));
  expect(build(at("x", "1"), at("y", "1"), at("x", "roots", "ConfigMap"))).toBe(first);
  expect(first.configMaps.get("x")?.get("a")?.body.values["ca.crt"]).toEqual(
    new TextEncoder().encode("roots"),
  );
  const second = build(at("x", "2"), at("y", "1"), at("x", "roots", "ConfigMap"));
  expect(second.secrets.get("x")).not.toBe(first.secrets.get("x"));
  expect(second.secrets.get("y")).toBe(first.secrets.get("y"));
  expect(second.configMaps).toBe(first.configMaps);
});
