import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "@keelson/protos/certificate-service";
import { keepalive } from "@keelson/xds";
import { pino } from "pino";
import { Registry } from "prom-client";
import { JwtAuthenticator } from "../auth/jwt-authenticator.ts";
import { defaultLifetimes } from "../ca/certificate-authority.ts";
import { FileRootStore } from "../ca/file-root-store.ts";
import { SecureServing, type SecureServingOptions } from "../ca/secure-serving.ts";
import { defaultRootOptions } from "../ca/self-made-root.ts";
import { serverNames } from "../ca/server-certificate.ts";
import { makeRoot, type TestCertificate } from "./test-certificates.ts";
import { TestIssuer } from "./test-issuer.ts";

export const trustDomain = "cluster.local";
export const serverName = "istiod.istio-system.svc";

export interface TestCaller {
  readonly token?: string;
  readonly certificate?: Pick<TestCertificate, "certificate" | "key">;
  /** PEM of the roots that it believes; the port's if left out. */
  readonly roots?: string;
}

/** A port with TLS on loopback, with a given root, tokens of a test's issuer, and CreateCertificate. */
export class TestSecurePort implements AsyncDisposable {
  readonly directory: string;
  readonly issuer: TestIssuer;
  readonly root: TestCertificate;
  readonly registry: Registry;
  readonly server = new grpc.Server(keepalive);
  readonly serving: SecureServing;
  /** All that was logged, as lines of JSON. */
  readonly log: string[];
  port = 0;
  private readonly clients: grpc.Client[] = [];

  private constructor(
    parts: Pick<TestSecurePort, "directory" | "issuer" | "root" | "registry" | "serving" | "log">,
  ) {
    this.directory = parts.directory;
    this.issuer = parts.issuer;
    this.root = parts.root;
    this.registry = parts.registry;
    this.serving = parts.serving;
    this.log = parts.log;
  }

  static async start(
    options: Partial<SecureServingOptions> = {},
    addServices: (port: TestSecurePort) => void = () => undefined,
  ): Promise<TestSecurePort> {
    const directory = mkdtempSync(join(tmpdir(), "keelson-"));
    const [issuer, root] = await Promise.all([TestIssuer.create(), makeRoot(trustDomain)]);
    writePluggedRoot(directory, root);
    const log: string[] = [];
    const logger = pino({ level: "debug" }, { write: (line) => log.push(line) });
    const registry = new Registry();
    const serving = await SecureServing.open({
      ...servingOptions(directory, issuer),
      registry,
      logger,
      ...options,
    });
    const port = new TestSecurePort({ directory, issuer, root, registry, serving, log });
    serving.register(port.server);
    addServices(port);
    port.port = await serving.listener(port.server)({ host: "127.0.0.1", port: 0 });
    return port;
  }

  /** A client with a connection of its own. */
  client({ token, certificate, roots = this.root.certificate }: TestCaller): grpc.Client {
    const channel = grpc.credentials.createSsl(
      Buffer.from(roots),
      certificate === undefined ? null : Buffer.from(certificate.key),
      certificate === undefined ? null : Buffer.from(certificate.certificate),
    );
    const client = new grpc.Client(`127.0.0.1:${this.port}`, withToken(channel, token), {
      "grpc.ssl_target_name_override": serverName,
      "grpc.use_local_subchannel_pool": 1,
    });
    this.clients.push(client);
    return client;
  }

  /** @throws grpc.ServiceError */
  async createCertificate(
    request: MessageInitShape<typeof IstioCertificateRequestSchema>,
    caller: TestCaller,
  ): Promise<string[]> {
    const client = this.client(caller);
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    client.makeUnaryRequest(
      "/istio.v1.auth.IstioCertificateService/CreateCertificate",
      (message: MessageInitShape<typeof IstioCertificateRequestSchema>) =>
        Buffer.from(toBinary(IstioCertificateRequestSchema, create(IstioCertificateRequestSchema, message))),
      (bytes: Buffer) => fromBinary(IstioCertificateResponseSchema, bytes).certChain,
      request,
      (error, chain) => (error === null ? resolve(chain ?? []) : reject(error)),
    );
    return promise.finally(() => client.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.close();
    await this.serving.close();
    this.server.forceShutdown();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Writes the files of a given root that signs by itself. */
export function writePluggedRoot(directory: string, { certificate, key }: TestCertificate): void {
  const files = {
    "ca-key.pem": key,
    "ca-cert.pem": certificate,
    "root-cert.pem": certificate,
    "cert-chain.pem": certificate,
  };
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(directory, name), pem);
}

function servingOptions(
  directory: string,
  issuer: TestIssuer,
): Omit<SecureServingOptions, "registry" | "logger"> {
  return {
    trustDomain,
    authority: {
      directory,
      multiRoot: false,
      selfMade: {
        store: new FileRootStore(join(directory, "root.json")),
        trustDomain,
        ...defaultRootOptions,
      },
      checkIntervalMs: 0,
      checkJitter: false,
      lifetimes: defaultLifetimes,
      watching: { quietMs: 5, rescanMs: 1_000 },
    },
    names: serverNames({ namespace: "istio-system", revision: "", discoveryHost: "", customHosts: [] }),
    certificateLifetimeMs: 3_600_000,
    tls: { minVersion: "TLSv1.2", cipherSuites: [] },
    authenticators: [new JwtAuthenticator(issuer.rule(), trustDomain)],
    nodeRules: { identityCheck: true, nodeAccounts: new Set(["istio-system/bpf-applier"]) },
  };
}

function withToken(channel: grpc.ChannelCredentials, token: string | undefined): grpc.ChannelCredentials {
  if (token === undefined) return channel;
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return channel.compose(
    grpc.credentials.createFromMetadataGenerator((_, callback) => callback(null, metadata)),
  );
}
