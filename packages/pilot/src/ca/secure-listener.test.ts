import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeCsr, makeRoot } from "../testing/test-certificates.ts";
import { serverName, TestSecurePort, writePluggedRoot } from "../testing/test-secure-port.ts";

const patience = { timeout: 20_000, interval: 5 };

/** Sends back what it gets. */
const echo = {
  echo: {
    path: "/test.Echo/Echo",
    requestStream: true,
    responseStream: true,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  },
} as const;

const addEcho = ({ server }: TestSecurePort): void =>
  server.addService(echo, {
    echo(call: grpc.ServerDuplexStream<Buffer, Buffer>) {
      call.on("data", (bytes: Buffer) => call.write(bytes));
      call.on("end", () => call.end());
      call.on("error", () => undefined);
    },
  });

let port: TestSecurePort;

beforeEach(async () => {
  port = await TestSecurePort.start({}, addEcho);
});

afterEach(async () => port[Symbol.asyncDispose]());

async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: port.port,
    ca: port.root.certificate,
    servername: serverName,
    ALPNProtocols: ["h2"],
    ...options,
  });
  await once(socket, "secureConnect");
  return socket;
}

async function serialNumber(): Promise<string> {
  const socket = await handshake();
  const { serialNumber: serial } = socket.getPeerCertificate();
  socket.destroy();
  return serial;
}

describe("the port", () => {
  test("shows a certificate with the control plane's names, and speaks TLS 1.2 and 1.3", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      expect(socket.alpnProtocol).toBe("h2");
      expect(socket.getPeerCertificate().subjectaltname).toContain(`DNS:${serverName}`);
      socket.destroy();
    }
  });

  test("does not speak TLS 1.1, nor anything but HTTP/2", async () => {
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await expect(handshake(old)).rejects.toThrow();
    await expect(handshake({ ALPNProtocols: ["http/1.1"] })).rejects.toThrow();
    await vi.waitUntil(() => port.log.some((line) => line.includes("TLS handshake failed")), patience);
  });

  test("speaks TLS 1.3 only, if asked to", async () => {
    await using strict = await TestSecurePort.start({ tls: { minVersion: "TLSv1.3", cipherSuites: [] } });
    const options = { port: strict.port, ca: strict.root.certificate };
    await expect(handshake({ ...options, maxVersion: "TLSv1.2" })).rejects.toThrow();
    (await handshake(options)).destroy();
  });

  test("speaks the suites only that it is given", async () => {
    const suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    await using strict = await TestSecurePort.start({
      tls: { minVersion: "TLSv1.2", cipherSuites: [suite] },
    });
    const options = { port: strict.port, ca: strict.root.certificate } as const;
    const old = { ...options, maxVersion: "TLSv1.2" } as const;
    const sockets = [await handshake(old), await handshake(options)];
    expect(sockets[0]?.getCipher().standardName).toBe(suite);
    expect(sockets[1]?.getProtocol()).toBe("TLSv1.3");
    for (const socket of sockets) socket.destroy();
    await expect(handshake({ ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).rejects.toThrow();
  });

  test("that is taken is an error, after which another can be tried", async () => {
    const listen = port.serving.listener(new grpc.Server());
    await expect(listen({ host: "127.0.0.1", port: port.port })).rejects.toThrow("EADDRINUSE");
    expect(await listen({ host: "127.0.0.1", port: 0 })).toBeGreaterThan(0);
  });

  test("closes connections on which no handshake comes", async () => {
    const tls = { minVersion: "TLSv1.2", cipherSuites: [], handshakeMs: 50 } as const;
    await using hasty = await TestSecurePort.start({ tls });
    const idle = Array.from({ length: 20 }, () => connect(hasty.port, "127.0.0.1").resume());
    await Promise.all(idle.map((socket) => once(socket, "close")));
    expect(hasty.log.filter((line) => line.includes("TLS handshake timeout"))).toHaveLength(20);
  });

  test("goes on after garbage, half-open connections and broken handshakes", async () => {
    const idle: Socket[] = Array.from({ length: 300 }, () => connect(port.port, "127.0.0.1"));
    try {
      await Promise.all(idle.map((socket) => once(socket, "connect")));
      for (const bytes of [
        randomBytes(10_000),
        Buffer.from("GET / HTTP/1.1\r\n\r\n"),
        Buffer.from("160301", "hex"),
      ]) {
        const socket = connect(port.port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.end(bytes);
        await once(socket.resume(), "close");
      }
      const spoken = await handshake();
      // Not HTTP/2.
      spoken.on("error", () => undefined);
      spoken.end(randomBytes(10_000));
      await once(spoken.resume(), "close");
      const token = await port.issuer.token();
      await expect(port.createCertificate({ csr: (await makeCsr()).pem }, { token })).resolves.toHaveLength(
        3,
      );
    } finally {
      for (const socket of idle) socket.destroy();
    }
  });
});

describe("when the signing certificate is replaced", () => {
  const replace = async (): Promise<void> => {
    const next = await makeRoot("next", { issuer: port.root });
    writePluggedRoot(port.directory, next);
    writeFileSync(join(port.directory, "root-cert.pem"), port.root.certificate);
  };

  test("new connections see a new certificate, and those that there are go on", async () => {
    const before = await serialNumber();
    const stream = port
      .client({})
      .makeBidiStreamRequest(echo.echo.path, echo.echo.requestSerialize, echo.echo.responseDeserialize);
    const answers: Buffer[] = [];
    stream.on("data", (bytes: Buffer) => answers.push(bytes));
    stream.write(Buffer.from("before"));
    await vi.waitUntil(() => answers.length === 1, patience);
    await replace();
    await vi.waitUntil(async () => (await serialNumber()) !== before, patience);
    stream.write(Buffer.from("after"));
    await vi.waitUntil(() => answers.length === 2, patience);
    expect(answers.map(String)).toEqual(["before", "after"]);
    stream.end();
    const ended = await new Promise<grpc.StatusObject>((resolve) => stream.once("status", resolve));
    expect(ended.code).toBe(grpc.status.OK);
  });

  test("no connection is refused meanwhile", async () => {
    const csr = (await makeCsr()).pem;
    const token = await port.issuer.token();
    const before = await serialNumber();
    const calls: Promise<string[]>[] = [];
    await replace();
    await vi.waitUntil(async () => {
      calls.push(port.createCertificate({ csr }, { token }));
      return (await serialNumber()) !== before;
    }, patience);
    calls.push(port.createCertificate({ csr }, { token }));
    const chains = await Promise.all(calls);
    // The last one was signed by the new certificate.
    expect(chains.at(-1)?.[1]).toBe(readFileSync(join(port.directory, "ca-cert.pem"), "utf8"));
  });
});
