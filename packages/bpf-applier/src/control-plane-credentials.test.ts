import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ControlPlaneFlags, controlPlaneCredentials, isLoopback } from "./control-plane-credentials.ts";

function secure(flags: Omit<ControlPlaneFlags, "controlPlane">, controlPlane = "127.0.0.1:15012"): boolean {
  const channel = controlPlaneCredentials({ controlPlane, ...flags }, () => undefined);
  try {
    // gRPC gives a token to a channel only if that is secure.
    channel.compose(grpc.credentials.createEmpty());
    return true;
  } catch {
    return false;
  }
}

describe("the applier speaks", () => {
  test("in plain text with a control plane on this machine", () => {
    for (const address of ["127.0.0.1:15010", "[::1]:15010", "localhost:15010"])
      expect(secure({}, address)).toBe(false);
  });

  test("over TLS wherever a flag of it is given", () => {
    for (const address of ["127.0.0.1:15012", "istiod.istio-system.svc:15012"]) {
      expect(secure({ tls: true }, address)).toBe(true);
      expect(secure({ caFile: "/ca.pem" }, address)).toBe(true);
      expect(secure({ tokenFile: "/token" }, address)).toBe(true);
      expect(secure({ serverName: "istiod" }, address)).toBe(true);
    }
  });

  test("in plain text with other machines only if it is told to", () => {
    expect(() => secure({}, "10.0.0.1:15010")).toThrow(
      "the control plane 10.0.0.1:15010 is not on this machine: use --tls with --ca-file and --token-file, or --insecure",
    );
    expect(secure({ insecure: true }, "10.0.0.1:15010")).toBe(false);
  });

  test("never shows a token in plain text", () => {
    expect(() => secure({ insecure: true, tokenFile: "/token" })).toThrow("--insecure contradicts");
    expect(() => secure({ insecure: true, tls: true })).toThrow("--insecure contradicts");
  });

  test.each([
    ["127.0.0.1:15010", true],
    ["127.8.9.10", true],
    ["[::1]:15010", true],
    ["[::ffff:127.0.0.1]:1", true],
    ["localhost:15010", true],
    ["dns:///localhost:15010", true],
    ["ipv4:127.0.0.1:80", true],
    ["unix:/run/x.sock", true],
    ["istiod.istio-system.svc:15010", false],
    ["127.0.0.1.example.com:15010", false],
    ["localhost.example.com", false],
    ["10.0.0.1:15010", false],
    ["1270.0.0.1:15010", false],
    ["[2001:db8::1]:15010", false],
    ["dns://127.0.0.1/istiod:15010", false],
    ["", false],
  ])("and takes %j for this machine: %s", (address, loopback) => {
    expect(isLoopback(address)).toBe(loopback);
  });
});

const echo = {
  whoami: {
    path: "/test.Test/WhoAmI",
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: String,
    responseSerialize: (text: string) => Buffer.from(text),
    responseDeserialize: String,
  },
} as const;

const missing = spawnSync("openssl", ["version"]).error !== undefined;

describe("over TLS", () => {
  let directory: string;
  let server: grpc.Server | undefined;
  let port: number;
  let seen: string[];

  beforeEach(async (context) => {
    context.skip(missing, "there is no openssl here");
    directory = mkdtempSync(join(tmpdir(), "keelson-"));
    makeCertificate("server", "istiod.istio-system.svc");
    server = new grpc.Server();
    server.addService(echo, {
      whoami(call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) {
        callback(null, call.metadata.get("authorization").join());
      },
    });
    const pair = {
      private_key: readFileSync(path("server-key.pem")),
      cert_chain: readFileSync(path("server.pem")),
    };
    const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
    port = await new Promise((resolve, reject) => {
      server?.bindAsync("127.0.0.1:0", credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    seen = [];
  });

  afterEach(() => {
    if (missing) return;
    server?.forceShutdown();
    rmSync(directory, { recursive: true, force: true });
  });

  const path = (name: string): string => join(directory, name);

  function makeCertificate(name: string, host: string): void {
    const key = [
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      path(`${name}-key.pem`),
    ];
    const names = ["-subj", "/O=test", "-addext", `subjectAltName=DNS:${host}`];
    execFileSync("openssl", ["req", "-x509", ...key, ...names, "-out", path(`${name}.pem`)], {
      stdio: "ignore",
    });
  }

  /** @returns what the server saw of the token @throws grpc.ServiceError */
  async function whoAmI(client: grpc.Client): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { path: method, requestSerialize, responseDeserialize } = echo.whoami;
    client.makeUnaryRequest(method, requestSerialize, responseDeserialize, "?", (error, text) =>
      error === null ? resolve(text ?? "") : reject(error),
    );
    return promise;
  }

  async function connected(
    flags: Omit<ControlPlaneFlags, "controlPlane">,
    use: (client: grpc.Client) => Promise<void>,
  ): Promise<void> {
    const controlPlane = `127.0.0.1:${port}`;
    const credentials = controlPlaneCredentials({ controlPlane, ...flags }, ({ message }) =>
      seen.push(message),
    );
    const client = new grpc.Client(controlPlane, credentials, { "grpc.use_local_subchannel_pool": 1 });
    try {
      await use(client);
    } finally {
      client.close();
    }
  }

  const good = (): Omit<ControlPlaneFlags, "controlPlane"> => ({
    caFile: path("server.pem"),
    tokenFile: path("token"),
    serverName: "istiod.istio-system.svc",
  });

  test("shows the token that is there at the time, on one connection", async () => {
    await connected(good(), async (client) => {
      writeFileSync(path("token"), "first\n");
      expect(await whoAmI(client)).toBe("Bearer first");
      writeFileSync(path("token"), "second\n");
      expect(await whoAmI(client)).toBe("Bearer second");
    });
  });

  test("fails without a token, saying where it should be, or when it is none", async () => {
    await connected(good(), async (client) => {
      await expect(whoAmI(client)).rejects.toThrow(`open '${path("token")}'`);
      writeFileSync(path("token"), "two\nlines");
      await expect(whoAmI(client)).rejects.toThrow(`${path("token")} holds no token`);
    });
  });

  test("believes no server whose certificate is from another root or has another name", async () => {
    writeFileSync(path("token"), "secret");
    makeCertificate("other", "istiod.istio-system.svc");
    await connected({ ...good(), caFile: path("other.pem") }, async (client) => {
      await expect(whoAmI(client)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    });
    await connected({ ...good(), serverName: "istiod.elsewhere.svc" }, async (client) => {
      await expect(whoAmI(client)).rejects.toThrow(/istiod.elsewhere.svc/);
    });
    // Neither has seen the token, since no connection came about; the system's roots are not ours either.
    const { caFile: _, ...bySystem } = good();
    await connected(bySystem, async (client) => {
      await expect(whoAmI(client)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    });
  });

  test("says why the roots cannot be read", async () => {
    await connected({ ...good(), caFile: path("none.pem") }, async (client) => {
      await expect(whoAmI(client)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE });
    });
    expect(seen).toEqual([`ENOENT: no such file or directory, open '${path("none.pem")}'`]);
  });
});
