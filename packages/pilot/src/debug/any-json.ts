import { createRegistry, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { file_envoy_admin_v3_config_dump as dump } from "@envoyproxy/xds-protos/envoy/admin/v3/config_dump_pb.js";
import { file_envoy_admin_v3_config_dump_shared as sharedDump } from "@envoyproxy/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import { file_istio_networking_nds_v1_nds as names } from "@keelson/protos/name-table";
import { envoyRegistry } from "@keelson/xds/envoy";

let registry: Registry | undefined;

/** A message inside an Any as protobuf's JSON has it; one of a type that is not known here, as its bytes in Base64. */
export function anyJson(any: Any): JsonValue {
  registry ??= createRegistry(envoyRegistry, dump, sharedDump, names);
  try {
    return toJson(AnySchema, any, { registry });
  } catch {
    return { "@type": any.typeUrl, value: Buffer.from(any.value).toString("base64") };
  }
}
