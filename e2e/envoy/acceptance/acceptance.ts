import { peerRunFolder } from "../../peers/peer-process.ts";
import type { AdsVariant } from "../../peers/plain-envoy.ts";
import { FedEnvoy } from "./fed-envoy.ts";
import { type ProxyKind, type Subject, subjectOf } from "./kinds.ts";
import { type Alter, MeshServer } from "./mesh-server.ts";
import type { Mesh } from "./meshes.ts";

/** Something that an Envoy did not take, or complained of. */
export interface Fault {
  readonly mesh: string;
  /** Which Envoy: "router, DELTA_GRPC". */
  readonly subject: string;
  readonly what: string;
}

export interface AcceptanceOptions {
  readonly kinds: readonly ProxyKind[];
  readonly variants: readonly AdsVariant[];
  /** Of so many meshes one is also given to Envoys that start with it; 0: none. */
  readonly freshEvery: number;
  /** Told of every mesh that all have been given. */
  readonly onMesh?: (mesh: Mesh, faults: readonly Fault[]) => void;
  readonly alter?: Alter;
  /** How long an Envoy may take for a mesh, in ms. */
  readonly patienceMs?: number;
}

/** Feeds real Envoys of all kinds one mesh after the other. @returns everything that was not as it should be */
export async function acceptAll(meshes: Iterable<Mesh>, options: AcceptanceOptions): Promise<Fault[]> {
  await using server = await MeshServer.start(await peerRunFolder("mesh-server"), options.alter);
  const feeding = new Feeding(server, options);
  const all: Fault[] = [];
  let count = 0;
  try {
    for (const mesh of meshes) {
      server.set(mesh.ir);
      const faults = await feeding.feed(mesh);
      if (options.freshEvery > 0 && count % options.freshEvery === 0)
        faults.push(...(await feeding.start(mesh)));
      all.push(...faults);
      options.onMesh?.(mesh, faults);
      count += 1;
    }
  } finally {
    await feeding.stop();
  }
  return all;
}

class Feeding {
  private readonly server: MeshServer;
  private readonly patienceMs: number | undefined;
  private readonly subjects: readonly (readonly [ProxyKind, AdsVariant])[];
  /** By subject; one that has ended is started again with the next mesh. */
  private readonly living = new Map<string, FedEnvoy>();

  constructor(server: MeshServer, { kinds, variants, patienceMs }: AcceptanceOptions) {
    this.server = server;
    this.patienceMs = patienceMs;
    this.subjects = kinds.flatMap((kind) => variants.map((variant) => [kind, variant] as const));
  }

  /** Waits for the Envoys that live through all meshes. */
  async feed(mesh: Mesh): Promise<Fault[]> {
    const subjects = this.subjects.map(([kind, variant]) => subjectOf(kind, variant));
    const judged = await Promise.all(
      subjects.map(async (subject) => {
        const envoy = this.living.get(subject.name) ?? (await FedEnvoy.start(subject, this.server));
        this.living.set(subject.name, envoy);
        return this.judge(mesh, envoy);
      }),
    );
    return judged.flat();
  }

  /** Gives the mesh to Envoys that start with it, at the place of its first pod. */
  async start(mesh: Mesh): Promise<Fault[]> {
    const subjects = this.subjects.map(([kind, variant]) => subjectOf(kind, variant, mesh.ir));
    const judged = await Promise.all(subjects.map((subject) => this.startOne(mesh, subject)));
    return judged.flat();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.living.values()].map((envoy) => envoy[Symbol.asyncDispose]()));
  }

  private async startOne(mesh: Mesh, subject: Subject): Promise<Fault[]> {
    await using envoy = await FedEnvoy.start(subject, this.server);
    return await this.judge(mesh, envoy);
  }

  private async judge({ title }: Mesh, envoy: FedEnvoy): Promise<Fault[]> {
    const { name } = envoy.subject;
    const fault = (what: string): Fault => ({ mesh: title, subject: name, what });
    try {
      return (await envoy.faults(this.patienceMs)).map(fault);
    } catch (error) {
      this.living.delete(name);
      return [fault(error instanceof Error ? error.message : String(error))];
    }
  }
}
