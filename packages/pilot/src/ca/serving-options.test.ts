import { describe, expect, test } from "vitest";
import { TestIssuer } from "../testing/test-issuer.ts";
import { defaultLifetimes } from "./certificate-authority.ts";
import { defaultRootOptions } from "./self-made-root.ts";
import { type SecurityPlace, type SecurityVariables, secureServingOptions } from "./serving-options.ts";

/** Pilot's defaults. */
const variables: SecurityVariables = {
  ENABLE_CA_SERVER: true,
  PILOT_CERT_PROVIDER: "istiod",
  EXTERNAL_CA: "",
  ROOT_CA_DIR: "./etc/cacerts",
  ISTIO_MULTIROOT_MESH: false,
  DEFAULT_WORKLOAD_CERT_TTL: defaultLifetimes.defaultMs,
  MAX_WORKLOAD_CERT_TTL: defaultLifetimes.maximumMs,
  CITADEL_SELF_SIGNED_CA_CERT_TTL: defaultRootOptions.lifetimeMs,
  CITADEL_SELF_SIGNED_CA_RSA_KEY_SIZE: defaultRootOptions.rsaBits,
  CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL: 3_600_000,
  CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE: defaultRootOptions.gracePercent,
  CITADEL_ENABLE_JITTER_FOR_ROOT_CERT_ROTATOR: true,
  CA_TRUSTED_NODE_ACCOUNTS: [],
  ISTIOD_CUSTOM_HOST: [],
  PILOT_ENABLE_XDS_IDENTITY_CHECK: true,
  TOKEN_AUDIENCES: ["istio-ca"],
  JWT_RULE: "",
  TRUSTED_GATEWAY_CIDR: [],
  REVISION: "",
};

const place: SecurityPlace = {
  namespace: "istio-system",
  trustDomain: "cluster.local",
  discoveryHost: "istiod.istio-system.svc",
  stateFolder: "/var/lib/keelson",
  tls: { minVersion: "TLSv1.2", cipherSuites: [], caCertFile: "", certFile: "", keyFile: "" },
};

describe("secureServingOptions", () => {
  test("has by default an authority of its own, which makes the server's certificate", () => {
    const options = secureServingOptions(variables, place);
    expect(options?.authority?.selfMade.store.place).toBe("/var/lib/keelson/ca-root.json");
    expect(options?.certificateFiles).toBeUndefined();
    expect(options?.names).toContain("istiod.istio-system.svc");
    expect(options?.authenticators).toEqual([]);
    expect(options?.nodeRules).toEqual({
      identityCheck: true,
      nodeAccounts: new Set(["istio-system/bpf-applier"]),
    });
  });

  test("takes the server's certificate from files, with and without an authority", () => {
    const tls = { ...place.tls, caCertFile: "/ca", certFile: "/cert", keyFile: "/key" };
    const files = { ca: "/ca", certificate: "/cert", key: "/key" };
    expect(secureServingOptions(variables, { ...place, tls })).toMatchObject({
      certificateFiles: files,
      authority: {},
    });
    const without = secureServingOptions({ ...variables, ENABLE_CA_SERVER: false }, { ...place, tls });
    expect(without?.certificateFiles).toEqual(files);
    expect(without).not.toHaveProperty("authority");
  });

  test.each([
    { ENABLE_CA_SERVER: false },
    { PILOT_CERT_PROVIDER: "none" },
    { PILOT_CERT_PROVIDER: "custom" },
  ])("has nothing to serve with %o and no files", (changes) => {
    expect(secureServingOptions({ ...variables, ...changes }, place)).toBeUndefined();
  });

  test.each([
    [{ EXTERNAL_CA: "ISTIOD_RA_KUBERNETES_API" }, "EXTERNAL_CA"],
    [{ PILOT_CERT_PROVIDER: "kubernetes" }, "PILOT_CERT_PROVIDER"],
    [{ PILOT_CERT_PROVIDER: "k8s.io/signer" }, "PILOT_CERT_PROVIDER"],
  ])("refuses another signer: %o", (changes, name) => {
    expect(() => secureServingOptions({ ...variables, ...changes }, place)).toThrow(
      new RegExp(`^${name} is "`),
    );
  });

  test("takes tokens by JWT_RULE, for the default audiences", async () => {
    const issuer = await TestIssuer.create();
    const JWT_RULE = JSON.stringify({ issuer: issuer.issuer, jwks: issuer.jwks() });
    const options = secureServingOptions({ ...variables, JWT_RULE }, { ...place, trustDomain: "a@b.test" });
    const caller = await options?.authenticators[0]?.authenticate({ token: await issuer.token() });
    expect(caller?.identity).toEqual({
      trustDomain: "a.b.test",
      namespace: "default",
      serviceAccount: "reviews",
    });
    expect(options?.authority?.selfMade.trustDomain).toBe("a@b.test");
  });

  test("believes gateways in the networks that are named", () => {
    const options = secureServingOptions({ ...variables, TRUSTED_GATEWAY_CIDR: ["10.0.0.0/8"] }, place);
    expect(options?.authenticators.map(({ name }) => name)).toEqual(["x-forwarded-client-cert"]);
  });

  test("lets more accounts act for nodes", () => {
    const options = secureServingOptions(
      { ...variables, CA_TRUSTED_NODE_ACCOUNTS: ["kube-system/ztunnel"] },
      place,
    );
    expect(options?.nodeRules.nodeAccounts).toEqual(
      new Set(["istio-system/bpf-applier", "kube-system/ztunnel"]),
    );
  });
});
