import type { EndpointSet, Workload } from "@keelson/protos/policy";
import type { DeltaUpdate } from "@keelson/xds";
import type { ServiceTable } from "./service-table.ts";

/** Services whose tables are new, changed or gone (undefined). */
export type TableChanges = ReadonlyMap<string, ServiceTable | undefined>;

/** What of an update has been understood, but is not yet taken over. */
export interface StagedUpdate {
  /** The update without what is wrong in it. */
  readonly taken: DeltaUpdate;
  /** Resource → why it stays as it is held. */
  readonly rejected: ReadonlyMap<string, string>;
  readonly changes: TableChanges;
  readonly workloadsChanged: boolean;
  /** As they will be held. */
  readonly endpointSet: (name: string) => EndpointSet | undefined;
  readonly workloads: () => Iterable<Workload>;
  commit(): void;
}
