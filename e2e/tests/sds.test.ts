// A real Envoy as a gateway gets certificates and keys from a control plane on a folder of files, over TLS and by what it
// has shown of itself.
import { readFile } from "node:fs/promises";
import { createServer, type TLSSocket } from "node:tls";
import { makeKeys, makeRoot, type TestCertificate } from "@keelson/pilot/testing";
import { describe, expect } from "vitest";
import { HandshakeLoad, type HttpsTarget, https } from "../envoy/https.ts";
import {
  certificateOf,
  edge,
  SecureWorld,
  secretObject,
  serialOf,
  tlsSecret,
} from "../envoy/secure-world.ts";
import { peerTest } from "../peers/peer-test.ts";
import { adsVariants } from "../peers/plain-envoy.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { until } from "../world/until.ts";

/** Certificates that replace each other under load. */
const rotations = 5;
const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: "SHA-256",
};

/** Of the gateway: one where no connection of others takes its port. */
const address = "127.0.0.9";

const networking = { apiVersion: "networking.istio.io/v1" };

/** networking.istio.io Gateway on a port of the loopback interface: host → its tls. */
const gateway = (port: number, hosts: Readonly<Record<string, object>>): KubernetesObject => ({
  ...networking,
  kind: "Gateway",
  metadata: { name: "gw", namespace: edge },
  spec: {
    selector: { istio: "gateway" },
    servers: Object.entries(hosts).map(([host, tls], i) => ({
      port: { number: port, protocol: "HTTPS", name: `https-${i}` },
      bind: address,
      hosts: [host],
      tls,
    })),
  },
});

/** networking.istio.io VirtualService that answers, or leads on, what comes for all hosts of the Gateway. */
const answering = (
  http: object = { directResponse: { status: 200, body: { string: "hello" } } },
): KubernetesObject => ({
  ...networking,
  kind: "VirtualService",
  metadata: { name: "all", namespace: edge },
  spec: { hosts: ["*.test"], gateways: ["gw"], http: [http] },
});

const outcome = (target: HttpsTarget): Promise<string> =>
  https(target).then(
    ({ status }) => `status ${status}`,
    () => "refused",
  );

describe.each(adsVariants)("%s", (_, variant) => {
  peerTest(
    ["envoy"],
    `a certificate is replaced ${rotations} times under load, and no handshake fails`,
    async () => {
      const host = "site.test";
      const root = await makeRoot();
      const port = await freePort();
      let certificate = await certificateOf(root, host);
      const rules = [gateway(port, { [host]: { mode: "SIMPLE", credentialName: "site" } }), answering()];
      await using world = await SecureWorld.start(variant, [...rules, tlsSecret("site", certificate)]);
      const target = { address, port, host, root: root.certificate };
      await until(() => https(target), { what: "a first handshake" });
      const load = new HandshakeLoad(target, 4);
      const seen: TestCertificate[] = [];
      for (let i = 0; i < rotations; i++) {
        seen.push(certificate);
        certificate = await certificateOf(root, host);
        const serial = serialOf(certificate);
        await world.write([...rules, tlsSecret("site", certificate)]);
        await until(() => load.last.serial === serial && load.last.times >= 20, {
          what: "the new certificate",
        });
      }
      await load.stop();
      expect(load.failures).toEqual([]);
      expect(load.count).toBeGreaterThan(20 * rotations);
      await expectNothingShown(world, [...seen, certificate]);
    },
  );
});

/** Nothing that is secret stands in the log, or on the pages that are for people. */
async function expectNothingShown(world: SecureWorld, secrets: readonly TestCertificate[]): Promise<void> {
  const { controlPlane } = world;
  const pages = ["config_dump?proxyID=gateway", "configz", "keelson/ir", "cachez", "adsz"];
  const shown = await Promise.all(pages.map((page) => controlPlane.get(`/debug/${page}`)));
  expect(shown.map(({ status }) => status)).toEqual(pages.map(() => 200));
  const dump = shown[0]?.body ?? "";
  expect(dump).toContain("kubernetes://site");
  expect(dump).toContain(Buffer.from("[redacted]").toString("base64"));
  const texts = [...shown.map(({ body }) => body), await readFile(controlPlane.process.logFile, "utf8")];
  for (const { key } of secrets) {
    for (const form of [key, Buffer.from(key).toString("base64")]) {
      // Past what all keys of a kind have in common.
      const part = form.replaceAll("\n", "").slice(80, 140);
      for (const text of texts) expect(text.replaceAll(/\\n|\n/g, "").includes(part)).toBe(false);
    }
  }
}

peerTest(
  ["envoy"],
  "clients show certificates where they must, and get the kind of certificate they can check",
  async () => {
    const [root, clients, strangers] = await Promise.all([
      makeRoot("servers"),
      makeRoot("clients"),
      makeRoot("others"),
    ]);
    const certificates = await Promise.all([
      certificateOf(root, "mutual.test"),
      certificateOf(root, "optional.test"),
      certificateOf(root, "both.test"),
      certificateOf(root, "both.test", { keys: await makeKeys(rsa) }),
    ]);
    const [mutual, optional, ecdsaOfBoth, rsaOfBoth] = certificates;
    const port = await freePort();
    await using world = await SecureWorld.start("DELTA_GRPC", [
      gateway(port, {
        "mutual.test": { mode: "MUTUAL", credentialName: "mutual" },
        "optional.test": { mode: "OPTIONAL_MUTUAL", credentialName: "optional" },
        "both.test": { mode: "SIMPLE", credentialNames: ["both", "both-rsa"] },
      }),
      answering(),
      tlsSecret("mutual", mutual),
      secretObject("mutual-cacert", { cacert: clients.certificate }),
      tlsSecret("optional", optional, { "ca.crt": clients.certificate }),
      tlsSecret("both", ecdsaOfBoth),
      tlsSecret("both-rsa", rsaOfBoth),
    ]);
    const to = (host: string, more: Partial<HttpsTarget> = {}) => ({
      address,
      port,
      host,
      root: root.certificate,
      ...more,
    });
    const known = { certificate: await certificateOf(clients, "client.test") };
    const unknown = { certificate: await certificateOf(strangers, "client.test") };
    await until(() => https(to("mutual.test", known)), { what: "a first handshake" });
    expect(await world.envoy.state()).toBe("LIVE");
    const outcomes = ["mutual.test", "optional.test"].flatMap((host) =>
      [known, unknown, {}].map((client) => outcome(to(host, client))),
    );
    expect(await Promise.all(outcomes)).toEqual([
      "status 200",
      "refused",
      "refused",
      "status 200",
      "refused",
      "status 200",
    ]);
    const serials = ["ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"].map((signatures) =>
      https(to("both.test", { signatures })).then(({ serial }) => serial),
    );
    expect(await Promise.all(serials)).toEqual([serialOf(ecdsaOfBoth), serialOf(rsaOfBoth)]);
  },
);

peerTest(
  ["envoy"],
  "a DestinationRule's credential is what a gateway shows, and checks servers by",
  async () => {
    const root = await makeRoot();
    const [site, backend, client] = await Promise.all([
      certificateOf(root, "site.test"),
      certificateOf(root, "backend.test"),
      certificateOf(root, "client.test"),
    ]);
    await using server = await startTlsBackend(backend, root.certificate);
    const port = await freePort();
    await using world = await SecureWorld.start("DELTA_GRPC", [
      gateway(port, { "site.test": { mode: "SIMPLE", credentialName: "site" } }),
      answering({ route: [{ destination: { host: "backend.test", port: { number: 443 } } }] }),
      ...backendObjects(server.port),
      tlsSecret("site", site),
      tlsSecret("client", client, { "ca.crt": root.certificate }),
    ]);
    const target = { address, port, host: "site.test", root: root.certificate };
    const answer = await until(
      async () => {
        const found = await https(target);
        return found.status === 200 && found;
      },
      { what: "an answer of the backend" },
    );
    expect(answer.body).toBe(serialOf(client));
    expect(await world.envoy.state()).toBe("LIVE");
  },
);

/** networking.istio.io ServiceEntry and DestinationRule of a server on loopback that wants a client's certificate. */
const backendObjects = (port: number): KubernetesObject[] => [
  {
    ...networking,
    kind: "ServiceEntry",
    metadata: { name: "backend", namespace: edge },
    spec: {
      hosts: ["backend.test"],
      ports: [{ number: 443, name: "http", protocol: "HTTP", targetPort: port }],
      resolution: "STATIC",
      endpoints: [{ address: "127.0.0.1" }],
    },
  },
  {
    ...networking,
    kind: "DestinationRule",
    metadata: { name: "backend", namespace: edge },
    spec: {
      host: "backend.test",
      trafficPolicy: {
        tls: {
          mode: "MUTUAL",
          credentialName: "client",
          sni: "backend.test",
          subjectAltNames: ["backend.test"],
        },
      },
    },
  },
];

/** Answers each request with the serial number of its client's certificate. */
async function startTlsBackend({ certificate, key }: TestCertificate, clients: string) {
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    { cert: certificate, key, ca: clients, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      sockets.add(socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket)));
      socket.on("data", () => {
        const { serialNumber } = socket.getPeerCertificate();
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${serialNumber.length}\r\n\r\n${serialNumber}`);
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("the backend has no port");
  return {
    port: bound.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
