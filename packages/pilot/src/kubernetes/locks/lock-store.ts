import { ApiError, type ApiServer, type GetOptions } from "@keelson/sources";
import { z } from "zod";
import type { LeaderRecord } from "./leader-record.ts";

/** A lock as it was read: what it says, and what it is written back with. */
export interface StoredLock {
  readonly record: LeaderRecord;
  readonly object: KubernetesObject;
}

/** Where the record of a leader is kept. Every call may throw what `ApiServer` does. */
export interface LockStore {
  /** "istio-leader" */
  readonly name: string;
  /** @returns undefined if there is none. */
  read(options: GetOptions): Promise<StoredLock | undefined>;
  /** @throws ApiError with status 409 if there is one. */
  create(record: LeaderRecord, options: GetOptions): Promise<void>;
  /** @throws ApiError with status 409 if it is no longer what was read. */
  update(stored: StoredLock, record: LeaderRecord, options: GetOptions): Promise<void>;
}

export interface LockPlace {
  readonly api: ApiServer;
  readonly namespace: string;
  readonly name: string;
}

const objectSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
});

type KubernetesObject = z.infer<typeof objectSchema>;

/** Reads and writes one object; what the record stands in is the matter of those below. */
class LockObject {
  private readonly place: LockPlace;
  private readonly collection: string;

  constructor(place: LockPlace, group: string, plural: string) {
    this.place = place;
    this.collection = `${group}/namespaces/${place.namespace}/${plural}`;
  }

  async read(options: GetOptions): Promise<KubernetesObject | undefined> {
    try {
      return objectSchema.parse(await this.place.api.getJson(this.path, options));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  async create(fields: object, annotations: object, options: GetOptions): Promise<void> {
    const { name, namespace } = this.place;
    const object = { metadata: { name, namespace, annotations }, ...fields };
    await this.place.api.send("POST", this.collection, object, options);
  }

  async update(object: KubernetesObject, options: GetOptions): Promise<void> {
    await this.place.api.send("PUT", this.path, object, options);
  }

  private get path(): string {
    return `${this.collection}/${this.place.name}`;
  }
}

const recordAnnotation = "control-plane.alpha.kubernetes.io/leader";

const recordSchema = z.object({
  holderIdentity: z.string().default(""),
  holderKey: z.string().default(""),
  leaseDurationSeconds: z.number().default(0),
  acquireTime: z.string().nullish().transform(emptyIfNone),
  renewTime: z.string().nullish().transform(emptyIfNone),
  leaderTransitions: z.number().default(0),
});

function emptyIfNone(text: string | null | undefined): string {
  return text ?? "";
}

/** A record in an annotation of a ConfigMap: locks that Istio had before there were Leases. */
export class ConfigMapLock implements LockStore {
  readonly name: string;
  private readonly object: LockObject;

  constructor(place: LockPlace) {
    this.name = place.name;
    this.object = new LockObject(place, "/api/v1", "configmaps");
  }

  async read(options: GetOptions): Promise<StoredLock | undefined> {
    const object = await this.object.read(options);
    if (object === undefined) return undefined;
    const text = object.metadata.annotations?.[recordAnnotation] ?? "{}";
    return { record: recordSchema.parse(JSON.parse(text)), object };
  }

  create(record: LeaderRecord, options: GetOptions): Promise<void> {
    return this.object.create({}, annotate(record), options);
  }

  update({ object }: StoredLock, record: LeaderRecord, options: GetOptions): Promise<void> {
    const annotations = { ...object.metadata.annotations, ...annotate(record) };
    return this.object.update({ ...object, metadata: { ...object.metadata, annotations } }, options);
  }
}

const annotate = (record: LeaderRecord): Record<string, string> => ({
  [recordAnnotation]: JSON.stringify(record),
});

const keyAnnotation = "leader.istio.io/holder-key";

const leaseSpecSchema = z.looseObject({
  holderIdentity: z.string().nullish().transform(emptyIfNone),
  leaseDurationSeconds: z.number().nullish(),
  acquireTime: z.string().nullish().transform(emptyIfNone),
  renewTime: z.string().nullish().transform(emptyIfNone),
  leaseTransitions: z.number().nullish(),
});

/** A record in a Lease of Kubernetes. */
export class LeaseLock implements LockStore {
  readonly name: string;
  private readonly object: LockObject;

  constructor(place: LockPlace) {
    this.name = place.name;
    this.object = new LockObject(place, "/apis/coordination.k8s.io/v1", "leases");
  }

  async read(options: GetOptions): Promise<StoredLock | undefined> {
    const object = await this.object.read(options);
    if (object === undefined) return undefined;
    const spec = leaseSpecSchema.parse(object["spec"] ?? {});
    const record = {
      holderIdentity: spec.holderIdentity,
      holderKey: object.metadata.annotations?.[keyAnnotation] ?? "",
      leaseDurationSeconds: spec.leaseDurationSeconds ?? 0,
      acquireTime: spec.acquireTime,
      renewTime: spec.renewTime,
      leaderTransitions: spec.leaseTransitions ?? 0,
    };
    return { record, object };
  }

  create(record: LeaderRecord, options: GetOptions): Promise<void> {
    return this.object.create({ spec: leaseSpec(record) }, keyOf(record), options);
  }

  update({ object }: StoredLock, record: LeaderRecord, options: GetOptions): Promise<void> {
    const { [keyAnnotation]: _, ...others } = object.metadata.annotations ?? {};
    const annotations = { ...others, ...keyOf(record) };
    const metadata = { ...object.metadata, annotations };
    return this.object.update({ ...object, metadata, spec: leaseSpec(record) }, options);
  }
}

const keyOf = ({ holderKey }: LeaderRecord): Record<string, string> =>
  holderKey === "" ? {} : { [keyAnnotation]: holderKey };

const leaseSpec = (record: LeaderRecord): object => ({
  holderIdentity: record.holderIdentity,
  leaseDurationSeconds: record.leaseDurationSeconds,
  acquireTime: microseconds(record.acquireTime),
  renewTime: microseconds(record.renewTime),
  leaseTransitions: record.leaderTransitions,
});

/** Kubernetes takes these times with six digits behind the point, and no others. */
const microseconds = (time: string): string => new Date(time).toISOString().replace("Z", "000Z");
