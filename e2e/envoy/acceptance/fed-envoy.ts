import { readFile } from "node:fs/promises";
import { type Bootstrap, type Envoy, startEnvoy } from "../../peers/envoy.ts";
import { grpcCluster, plainBootstrap } from "../../peers/plain-envoy.ts";
import { until } from "../../world/until.ts";
import { readDump } from "./dump.ts";
import { whatItLacks } from "./held.ts";
import type { Subject } from "./kinds.ts";
import type { MeshServer } from "./mesh-server.ts";

/** How long an Envoy may take until it holds a mesh, in ms: a hundred times what it needs. */
const patienceMs = 20_000;

/** Statistics that count what must never be. */
const complaints =
  /update_rejected$|\.init_fetch_timeout$|^runtime\.deprecated_feature|listener_create_failure$/;

/** A real Envoy, alone in its network, that is fed by a mesh server. */
export class FedEnvoy implements AsyncDisposable {
  readonly subject: Subject;
  private readonly envoy: Envoy;
  private readonly server: MeshServer;
  /** Of its log, that are judged already. */
  private linesRead = 0;
  private readonly counted = new Map<string, number>();

  private constructor(subject: Subject, envoy: Envoy, server: MeshServer) {
    this.subject = subject;
    this.envoy = envoy;
    this.server = server;
  }

  /** Returns when it runs; the mesh may not be there yet. */
  static async start(subject: Subject, server: MeshServer): Promise<FedEnvoy> {
    const envoy = await startEnvoy({
      bootstrap: bootstrapOf(subject, server.socket),
      until: "admin",
      // What a change replaced is gone soon, so that hundreds of changes do not pile up.
      args: ["--log-level", "warning", "--drain-time-s", "1"],
      place: { alone: true },
    });
    return new FedEnvoy(subject, envoy, server);
  }

  /** Waits until it has taken up what the server has. @returns what is wrong with that; nothing, if all is well. */
  async faults(timeoutMs = patienceMs): Promise<string[]> {
    const nacks: string[] = [];
    let lacks: readonly string[] = [];
    const look = async (): Promise<boolean> => {
      await this.envoy.process.process.assertAlive();
      nacks.push(...this.server.takeNacks(this.subject.name));
      lacks = await this.lacks();
      return lacks.length === 0 || nacks.length > 0;
    };
    await until(look, { what: "all", timeoutMs, everyMs: 30 }).catch((error: unknown) => {
      if (!this.envoy.process.process.alive) throw error;
    });
    nacks.push(...this.server.takeNacks(this.subject.name));
    // What was refused is lacking as well.
    const reasons = nacks.length > 0 ? nacks : lacks;
    return [...reasons, ...(await this.newComplaints()), ...(await this.newWarnings())];
  }

  private async lacks(): Promise<string[]> {
    const connection = this.server.connection(this.subject.name);
    if (connection === undefined) return ["it is not connected"];
    const unanswered = Object.entries(connection.types)
      .filter(([, { sentNonce, ackedNonce }]) => sentNonce !== ackedNonce)
      .map(([typeUrl]) => `${typeUrl} is not answered`);
    if (connection.pendingSince !== undefined || unanswered.length > 0)
      return unanswered.length > 0 ? unanswered : ["a push waits"];
    const state = await this.envoy.state();
    if (state !== "LIVE") return [`it is ${state}`];
    const dump = readDump(await this.envoy.admin("/config_dump?include_eds"));
    return whatItLacks(connection, dump);
  }

  /** Statistics that have grown since the last call. */
  private async newComplaints(): Promise<string[]> {
    const { stats } = JSON.parse(await this.envoy.admin("/stats?format=json")) as {
      stats: { name?: string; value?: number }[];
    };
    return stats.flatMap(({ name = "", value = 0 }) => {
      const before = this.counted.get(name) ?? 0;
      if (!complaints.test(name) || value <= before) return [];
      this.counted.set(name, value);
      return [`${name} grew from ${before} to ${value}`];
    });
  }

  /** Warnings, errors and deprecations in its log since the last call. */
  private async newWarnings(): Promise<string[]> {
    const lines = (await readFile(this.envoy.logFile, "utf8")).split("\n");
    const fresh = lines.slice(this.linesRead);
    this.linesRead = lines.length - 1;
    return fresh.filter((line) => /\[(warning|error|critical)\]|deprecated/i.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.envoy.stop();
  }
}

function bootstrapOf({ node, variant }: Subject, path: string): Bootstrap {
  const plain = plainBootstrap(node, { path }, variant);
  const { clusters } = plain["static_resources"] as { clusters: object[] };
  return {
    ...plain,
    // Where pilot-agent serves secrets.
    static_resources: { clusters: [...clusters, grpcCluster("sds-grpc", { path })] },
    // Waypoints have listeners inside.
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.internal_listener",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
        },
      },
    ],
    // Without a limit of connections an Envoy warns of that.
    overload_manager: {
      resource_monitors: [
        {
          name: "envoy.resource_monitors.global_downstream_max_connections",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            max_active_downstream_connections: 1000,
          },
        },
      ],
    },
  };
}
