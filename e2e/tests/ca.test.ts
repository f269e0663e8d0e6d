// A real pilot-agent gets its certificate from our CA and brings an Envoy up on it.
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { beforeEach, describe, expect, onTestFinished } from "vitest";
import { type HttpBackend, startHttpBackend } from "../envoy/http-backend.ts";
import { createCertificate } from "../peers/create-certificate.ts";
import { missingOpenssl, Openssl } from "../peers/openssl.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { peerTest } from "../peers/peer-test.ts";
import { type PilotAgent, startPilotAgent } from "../peers/pilot-agent.ts";
import { type PilotDiscovery, startPilotDiscovery } from "../peers/pilot-discovery.ts";
import { TokenIssuer } from "../peers/token-issuer.ts";
import { freePort } from "../world/free-port.ts";
import type { KubernetesObject } from "../world/objects.ts";
import { until } from "../world/until.ts";

const discoveryName = "istiod.istio-system.svc";
const gateway = { name: "gateway-1", namespace: "default", serviceAccount: "gateway" };
const gatewayIdentity = "spiffe://cluster.local/ns/default/sa/gateway";
const host = "shop.test";

beforeEach((context) => {
  const reason = missingOpenssl();
  context.skip(reason !== undefined, reason);
});

/** Requests for a host come to a gateway over mutual TLS of the mesh, and go on to a backend. */
const objects = (port: number, backend: HttpBackend): KubernetesObject[] => {
  const metadata = { name: "shop", namespace: "default" };
  const apiVersion = "networking.istio.io/v1";
  return [
    {
      apiVersion,
      kind: "ServiceEntry",
      metadata,
      spec: {
        hosts: [host],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
        resolution: "STATIC",
        endpoints: [{ address: backend.address, ports: { http: backend.port } }],
      },
    },
    {
      apiVersion,
      kind: "Gateway",
      metadata,
      spec: {
        selector: { app: "gateway" },
        servers: [
          {
            port: { number: port, name: "https", protocol: "HTTPS" },
            hosts: [host],
            tls: { mode: "ISTIO_MUTUAL" },
          },
        ],
      },
    },
    {
      apiVersion,
      kind: "VirtualService",
      metadata,
      spec: { hosts: [host], gateways: ["shop"], http: [{ route: [{ destination: { host } }] }] },
    },
  ];
};

interface RootCase {
  /** Makes what the control plane finds. @returns its variables. */
  readonly prepare: (openssl: Openssl) => Promise<Readonly<Record<string, string>>>;
  /** @returns PEM. */
  readonly root: (openssl: Openssl, plane: PilotDiscovery) => Promise<string>;
  /** The subject of the certificate that signs those of workloads. */
  readonly signer: string;
}

const madeRoot: RootCase = {
  prepare: async () => ({}),
  root: async (_, { process }) => {
    const stored = await readFile(join(process.folder, "state", "ca-root.json"), "utf8");
    return (JSON.parse(stored) as { "ca-cert.pem": string })["ca-cert.pem"];
  },
  signer: "O = cluster.local",
};

const givenAuthority: RootCase = {
  prepare: async (openssl) => {
    await openssl.authority();
    return { ROOT_CA_DIR: openssl.folder };
  },
  root: (openssl) => openssl.read("root-cert.pem"),
  signer: "O = intermediate",
};

/** A control plane with its CA, and a backend behind the gateway that its configuration tells of. */
async function startMesh({ prepare, root: rootOf }: RootCase) {
  await using stack = new AsyncDisposableStack();
  const backend = stack.use(await startHttpBackend("shop", "127.0.0.2"));
  const openssl = await Openssl.in(join(await peerRunFolder("openssl"), "cacerts"));
  const issuer = new TokenIssuer();
  const gatewayPort = await freePort();
  const plane = await startPilotDiscovery({
    objects: objects(gatewayPort, backend),
    environment: { JWT_RULE: issuer.rule(), ...(await prepare(openssl)) },
  });
  stack.defer(() => plane.stop());
  const root = await rootOf(openssl, plane);
  const owned = stack.move();
  return { issuer, openssl, plane, root, gatewayPort, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
type Mesh = Awaited<ReturnType<typeof startMesh>>;

const addressOf = ({ plane }: Mesh): string => `127.0.0.1:${plane.ports.secureGrpc}`;

/** pilot-agent as a gateway; it is stopped with the test. */
async function startGateway(mesh: Mesh, token: string, environment = {}): Promise<PilotAgent> {
  const agent = await startPilotAgent({
    discoveryAddress: addressOf(mesh),
    discoveryName,
    rootCertificate: mesh.root,
    token,
    pod: gateway,
    nodeType: "router",
    environment: { ISTIO_METAJSON_LABELS: JSON.stringify({ app: "gateway" }), ...environment },
  });
  onTestFinished(() => agent.stop());
  return agent;
}

interface Credentials {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

/** Of a client, from the mesh's CA. */
async function clientCredentials(mesh: Mesh): Promise<Credentials> {
  const { issuer, openssl, root } = mesh;
  await openssl.request("client");
  const chain = await createCertificate({
    address: addressOf(mesh),
    name: discoveryName,
    root,
    token: issuer.token({ serviceAccount: "client" }),
    csr: await openssl.read("client.csr"),
  });
  return { key: await openssl.read("client.key"), cert: chain.slice(0, -1).join("") };
}

interface Served {
  readonly body: string;
  /** Of the gateway's certificate. */
  readonly names: string;
  readonly serialNumber: string;
  readonly endsAt: Date;
}

/** Sends a request through the gateway; its certificate must come from the mesh's root. */
function ask({ gatewayPort: port, root }: Mesh, credentials: Credentials): Promise<Served> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, ca: root, ...credentials, agent: false, headers: { host } };
    // A name of the mesh is no name of DNS.
    const call = request({ ...options, checkServerIdentity: () => undefined }, (response) => {
      const certificate = (response.socket as TLSSocket).getPeerX509Certificate();
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () =>
        resolve({
          body,
          names: certificate?.subjectAltName ?? "",
          serialNumber: certificate?.serialNumber ?? "",
          endsAt: certificate?.validToDate ?? new Date(0),
        }),
      );
    });
    call.once("error", reject).end();
  });
}

/** PEM of the certificate, with those between it and the root, that the agent has given to its Envoy. */
async function chainOf(agent: PilotAgent): Promise<string> {
  const { body } = await agent.admin("/config_dump?resource=dynamic_active_secrets");
  const { configs } = JSON.parse(body) as {
    configs: {
      name: string;
      secret: { tls_certificate?: { certificate_chain: { inline_bytes: string } } };
    }[];
  };
  const secret = configs.find(({ name }) => name === "default")?.secret;
  return Buffer.from(secret?.tls_certificate?.certificate_chain.inline_bytes ?? "", "base64").toString();
}

describe.each([
  ["a root of its own", madeRoot],
  ["an authority that is given as files", givenAuthority],
] as const)("with %s", (_, rootCase) => {
  peerTest(
    ["pilot-agent", "envoy"],
    "an agent gets a certificate, and its Envoy serves with it",
    async () => {
      await using mesh = await startMesh(rootCase);
      const agent = await startGateway(mesh, mesh.issuer.token({ serviceAccount: "gateway" }));
      await agent.ready();
      const chain = await chainOf(agent);
      const certificate = await mesh.openssl.verified(chain, mesh.root);
      expect(certificate).toContain(`URI:${gatewayIdentity}\n`);
      expect(certificate).toContain(`Issuer: ${rootCase.signer}\n`);
      const credentials = await clientCredentials(mesh);
      const served = await until(() => ask(mesh, credentials), { what: "the gateway to serve" });
      expect(served).toMatchObject({ body: "shop", names: `URI:${gatewayIdentity}` });
    },
  );
});

peerTest(["pilot-agent", "envoy"], "an agent renews its certificate before it ends", async () => {
  await using mesh = await startMesh(madeRoot);
  const agent = await startGateway(mesh, mesh.issuer.token({ serviceAccount: "gateway" }), {
    SECRET_TTL: "40s",
    // Renewed after a tenth of the time.
    SECRET_GRACE_PERIOD_RATIO: "0.9",
  });
  await agent.ready();
  const credentials = await clientCredentials(mesh);
  const first = await until(() => ask(mesh, credentials), { what: "the gateway to serve" });
  expect(first.endsAt.getTime() - Date.now()).toBeLessThan(40_000);
  const next = await until(
    async () => {
      const served = await ask(mesh, credentials);
      return served.serialNumber === first.serialNumber ? undefined : served;
    },
    { what: "another certificate", everyMs: 100 },
  );
  expect(Date.now()).toBeLessThan(first.endsAt.getTime());
  expect(next).toMatchObject({ body: "shop", names: `URI:${gatewayIdentity}` });
  expect(next.endsAt.getTime()).toBeGreaterThan(first.endsAt.getTime());
});

peerTest(["pilot-agent", "envoy"], "an agent with a forged token is refused, and says so", async () => {
  await using mesh = await startMesh(madeRoot);
  const forged = new TokenIssuer().token({ serviceAccount: "gateway" });
  const agent = await startGateway(mesh, forged);
  const reason = "request authenticate failure: JWT: signature verification failed";
  await until(async () => (await readFile(agent.process.logFile, "utf8")).includes(reason), {
    what: `the agent to say "${reason}"`,
  });
  expect((await mesh.plane.get("/metrics")).body).toMatch(
    /^citadel_server_authentication_failure_count [1-9]\d*$/m,
  );
  const log = await readFile(mesh.plane.process.logFile, "utf8");
  expect(log).toMatch(/warn\tca\tcaller not authenticated\t.*JWT: signature verification failed/);
  for (const secret of forged.split(".")) expect(log).not.toContain(secret);
});
