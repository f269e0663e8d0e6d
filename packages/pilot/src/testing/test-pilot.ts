import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import type { NodeView } from "@keelson/model";
import { applierIdPrefix, nodeNameMetadata } from "@keelson/model/names";
import type { Manifest } from "@keelson/model/testing";
import { policyTypeUrls } from "@keelson/protos";
import { DirectorySource } from "@keelson/sources";
import { Backoff, type DeltaUpdate, DeltaXdsClient } from "@keelson/xds";
import { pino } from "pino";
import { vi } from "vitest";
import { ControlPlane } from "../control-plane.ts";

export interface LogLine {
  readonly level: number;
  readonly msg: string;
}

const patience = { timeout: 20_000, interval: 5 };

/** A control plane on a directory of its own, with nothing in between. */
export class TestPilot implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), "keelson-"));
  readonly log: LogLine[] = [];
  readonly controlPlane: ControlPlane;
  xdsPort = 0;
  private readonly nodes: TestNode[] = [];

  constructor(...manifests: readonly Manifest[]) {
    this.write("first", ...manifests);
    const logger = pino({ level: "debug" }, { write: (line) => this.log.push(JSON.parse(line) as LogLine) });
    const source = new DirectorySource(this.directory);
    this.controlPlane = new ControlPlane({ source, domain: "cluster.local", logger });
  }

  /** Running, with its xDS port on loopback. */
  static async start(...manifests: readonly Manifest[]): Promise<TestPilot> {
    const pilot = new TestPilot(...manifests);
    await pilot.controlPlane.start();
    pilot.xdsPort = await pilot.controlPlane.listen({ host: "127.0.0.1", port: 0 });
    return pilot;
  }

  /** Replaces what stands in one file. */
  write(file: string, ...manifests: readonly unknown[]): void {
    const items = manifests.map((manifest) => JSON.stringify(manifest));
    writeFileSync(join(this.directory, `${file}.yaml`), items.map((item) => `---\n${item}\n`).join(""));
  }

  /**
   * A node that follows the control plane.
   * @param take what it does with an update; rejecting is a nack
   * @param retryRejectedMs after which it asks again; undefined: as agents do
   */
  connect(name: string, take?: TestNode["take"], retryRejectedMs?: number): TestNode {
    const node = new TestNode(name, this.xdsPort, take, retryRejectedMs);
    this.nodes.push(node);
    return node;
  }

  /** Waits until what the control plane says of a node holds. */
  async untilNode(name: string, holds: (node: NodeView) => boolean): Promise<NodeView> {
    return vi.waitUntil(
      () => this.controlPlane.status().nodes.find((node) => node.name === name && holds(node)),
      patience,
    );
  }

  /** Waits until the current version is another one. */
  async untilVersion(differsFrom: string): Promise<string> {
    return vi.waitUntil(() => {
      const { version } = this.controlPlane.status();
      return version === differsFrom ? undefined : version;
    }, patience);
  }

  async untilProblems(count: number): Promise<void> {
    await vi.waitUntil(() => this.controlPlane.status().problems.length === count, patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.controlPlane.close(1_000);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Follows all policy types, and keeps what it took. */
export class TestNode {
  /** In the order of arrival. */
  readonly updates: DeltaUpdate[] = [];
  take: (update: DeltaUpdate) => Promise<void>;
  private readonly client: DeltaXdsClient;

  constructor(
    name: string,
    port: number,
    take: TestNode["take"] = () => Promise.resolve(),
    retryRejectedMs?: number,
  ) {
    this.take = take;
    this.client = new DeltaXdsClient({
      address: `127.0.0.1:${port}`,
      credentials: grpc.credentials.createInsecure(),
      node: { id: `${applierIdPrefix}${name}`, metadata: { [nodeNameMetadata]: name } },
      typeUrls: Object.values(policyTypeUrls),
      backoff: new Backoff(5, 50),
      ...(retryRejectedMs !== undefined && { retryRejectedMs }),
      onUpdate: async (update) => {
        await this.take(update);
        this.updates.push(update);
      },
    });
    this.client.start();
  }

  /** Names of all that was sent of a type and not removed since, sorted. */
  names(typeUrl: string): string[] {
    const held = new Set<string>();
    for (const { added, removed } of this.updates.filter((update) => update.typeUrl === typeUrl)) {
      for (const name of removed) held.delete(name);
      for (const { name } of added) held.add(name);
    }
    return [...held].sort();
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
