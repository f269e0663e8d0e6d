import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { MetricsPort, parseAddress } from "./metrics-port.ts";

function opened(address: string, read: () => Promise<string>): { port: MetricsPort; errors: string[] } {
  const errors: string[] = [];
  const onError = ({ message }: Error): unknown => errors.push(message);
  const port = MetricsPort.open({ address, read, onError, tryAgainMs: 10 });
  onTestFinished(() => port.close());
  return { port, errors };
}

async function ask(port: number, path: string): Promise<[number, string]> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return [response.status, await response.text()];
}

test("a port answers Prometheus, and says so where it fails", async () => {
  let text = (): Promise<string> => Promise.resolve("a 1\n");
  const { port, errors } = opened("127.0.0.1:0", () => text());
  await expect.poll(() => port.port).toBeGreaterThan(0);
  expect(await ask(port.port, "/metrics")).toEqual([200, "a 1\n"]);
  expect((await ask(port.port, "/"))[0]).toBe(404);
  text = () => Promise.reject(new Error("no map"));
  expect(await ask(port.port, "/metrics")).toEqual([500, "no map\n"]);
  expect(errors).toEqual([]);
});

test("a port that another program has is said once, and listened on as soon as it is free", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port: taken } = other.address() as AddressInfo;
  const { port, errors } = opened(`127.0.0.1:${taken}`, () => Promise.resolve("a 1\n"));
  await expect.poll(() => errors).toEqual([expect.stringContaining("EADDRINUSE")]);
  await new Promise((resolve) => other.close(resolve));
  await expect.poll(() => port.port).toBe(taken);
  expect(await ask(taken, "/metrics")).toEqual([200, "a 1\n"]);
  expect(errors).toHaveLength(1);
});

test("addresses", () => {
  expect(parseAddress(":15020")).toEqual({ host: undefined, port: 15_020 });
  expect(parseAddress("[::1]:1")).toEqual({ host: "::1", port: 1 });
  expect(() => parseAddress("15020")).toThrow("expected HOST:PORT");
  expect(() => parseAddress("a:70000")).toThrow("expected HOST:PORT");
});
