import type { JsonObject } from "@bufbuild/protobuf";
import type { MetadataSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { Service } from "@keelson/protos/policy";
import { configPath } from "../rule-names.ts";
import type { Init } from "../wire.ts";

/** What `istioctl proxy-config clusters` and telemetry read: which rule, which subset, which service. */
export function clusterMetadata({
  service,
  subset,
  rule,
}: {
  readonly service: Service;
  readonly subset: string;
  readonly rule: string | undefined;
}): Init<typeof MetadataSchema> {
  const { hostname, namespace } = service;
  const config = rule === undefined ? undefined : configPath(rule);
  const istio: JsonObject = {
    ...(config !== undefined && { config }),
    services: [{ host: hostname, name: hostname.split(".", 1)[0] ?? "", namespace }],
    ...(subset !== "" && { subset }),
  };
  return { filterMetadata: { istio } };
}
