import type { DescMessage } from "@bufbuild/protobuf";
import { EndpointSetSchema, ServiceSchema, WorkloadSchema } from "@keelson/protos/policy";

const typeUrlOf = (schema: DescMessage): string => `type.googleapis.com/${schema.typeName}`;

/** Type URLs of the policy IR's resources, in the order a node should apply them: what is referred to first. */
export const policyTypeUrls = {
  endpointSet: typeUrlOf(EndpointSetSchema),
  service: typeUrlOf(ServiceSchema),
  workload: typeUrlOf(WorkloadSchema),
} as const;
