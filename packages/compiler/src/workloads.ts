import { toBinary } from "@bufbuild/protobuf";
import { type Workload as ModelWorkload, mappedMap } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import { type Workload, WorkloadSchema } from "@keelson/protos/policy";
import { workloadMessage } from "./messages.ts";
import { versionOf } from "./resource.ts";

export interface CompiledWorkloads {
  readonly messages: ReadonlyMap<string, Workload>;
  readonly resources: ReadonlyMap<string, Resource>;
}

/** Workloads are many and change one by one. */
const known = new WeakMap<ModelWorkload, { readonly message: Workload; readonly resource: Resource }>();

function compiled(workload: ModelWorkload): { readonly message: Workload; readonly resource: Resource } {
  const before = known.get(workload);
  if (before !== undefined) return before;
  const message = workloadMessage(workload);
  const made = {
    message,
    resource: new WorkloadResource(message),
  };
  known.set(workload, made);
  return made;
}

/** Goes to one node only, and there are very many: it is encoded when that node is told, and not kept. */
class WorkloadResource implements Resource {
  readonly version: string;
  private readonly message: Workload;

  constructor(message: Workload) {
    this.message = message;
    this.version = versionOf(this.body);
  }

  get name(): string {
    return this.message.name;
  }

  get node(): string {
    return this.message.node;
  }

  get body(): Uint8Array {
    return toBinary(WorkloadSchema, this.message);
  }
}

const messageOf = (workload: ModelWorkload): Workload => compiled(workload).message;
const resourceOf = (workload: ModelWorkload): Resource => compiled(workload).resource;

/** Each is made when somebody asks for it: proxies ask for their own alone. */
export const compileWorkloads = (workloads: ReadonlyMap<string, ModelWorkload>): CompiledWorkloads => ({
  messages: mappedMap(workloads, messageOf),
  resources: mappedMap(workloads, resourceOf),
});
