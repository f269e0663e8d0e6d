import { join } from "node:path";
import { freePort } from "../world/free-port.ts";
import { http } from "./http.ts";
import { requirePeer } from "./peer-cache.ts";
import { PeerProcess, peerRunFolder } from "./peer-process.ts";

/** A running etcd of one member. */
export interface Etcd {
  readonly process: PeerProcess;
  /** Of 127.0.0.1. */
  readonly port: number;
  /** What clients are given: http://127.0.0.1:PORT. */
  readonly url: string;
  /** Forgets all that was before a revision, as Kubernetes has it done every five minutes. */
  compact(revision: number): Promise<void>;
  /** Stores values in one transaction: up to 128, and of 1.5 MiB together. */
  put(values: readonly (readonly [key: string, value: string])[]): Promise<void>;
  stop(): Promise<void>;
}

/** @throws Error if etcd is not set up or is not healthy. */
export async function startEtcd(): Promise<Etcd> {
  const { program } = await requirePeer("etcd");
  const folder = await peerRunFolder("etcd");
  const [port, peerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const process = new PeerProcess(folder, {
    title: "etcd",
    command: [
      program,
      "--name=test",
      `--data-dir=${join(folder, "data")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      // The data need not outlive a power cut.
      "--unsafe-no-fsync",
    ],
  });
  await process.ready(async () => {
    const { status, body } = await http({ host: "127.0.0.1", port, path: "/health" });
    return status === 200 && body.includes('"health":"true"');
  });
  const compact = async (revision: number): Promise<void> => {
    const body = JSON.stringify({ revision, physical: true });
    const answer = await fetch(`${url}/v3/kv/compaction`, { method: "POST", body });
    if (!answer.ok) throw new Error(`etcd does not compact revision ${revision}: ${await answer.text()}`);
  };
  return { process, port, url, compact, put: (values) => put(url, values), stop: () => process.stop() };
}

async function put(url: string, values: readonly (readonly [string, string])[]): Promise<void> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const success = values.map(([key, value]) => ({ requestPut: { key: base64(key), value: base64(value) } }));
  const answer = await fetch(`${url}/v3/kv/txn`, { method: "POST", body: JSON.stringify({ success }) });
  if (!answer.ok) throw new Error(`etcd does not store ${values[0]?.[0]}: ${await answer.text()}`);
}
