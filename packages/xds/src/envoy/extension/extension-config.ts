import { create } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { AsyncDataSourceSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import { TypedExtensionConfigSchema } from "@envoyproxy/xds-protos/envoy/config/core/v3/extension_pb.js";
import { WasmSchema } from "@envoyproxy/xds-protos/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import type { Resource } from "@keelson/protos";
import type { Extension } from "@keelson/protos/proxy";
import { duration, type Init, pack, resourceOf } from "../wire.ts";

const namePrefix = "extensions.istio.io/trafficextension/";
const filePrefix = "file://";

export const isFile = ({ url }: Pick<Extension, "url">): boolean => url.startsWith(filePrefix);

/** "extensions.istio.io/trafficextension/shop.auth" */
const configName = ({ name }: Extension): string => `${namePrefix}${name.replace("/", ".")}`;

function code({ url, sha256 }: Extension): Init<typeof AsyncDataSourceSchema> {
  if (url.startsWith(filePrefix)) {
    const filename = url.slice(filePrefix.length);
    return { specifier: { case: "local", value: { specifier: { case: "filename", value: filename } } } };
  }
  // The agent fetches it and writes where it is; no cluster leads there.
  const httpUri = {
    uri: url,
    timeout: duration(30_000),
    httpUpstreamType: { case: "cluster" as const, value: "_" },
  };
  return { specifier: { case: "remote", value: { httpUri, sha256 } } };
}

const made = new WeakMap<Extension, Resource>();

/** The resource that tells a proxy what an extension is, which listeners name. */
export function extensionConfig(extension: Extension): Resource {
  const known = made.get(extension) ?? build(extension);
  made.set(extension, known);
  return known;
}

function build(extension: Extension): Resource {
  const { name, rootId, configuration, pullPolicy, environment, hostEnvironment } = extension;
  const typedConfig = pack(WasmSchema, {
    config: {
      name: name.replace("/", "."),
      rootId,
      ...(configuration !== "" && { configuration: pack(StringValueSchema, { value: configuration }) }),
      vm: {
        case: "vmConfig",
        value: {
          runtime: "envoy.wasm.runtime.v8",
          code: code(extension),
          environmentVariables: {
            hostEnvKeys: hostEnvironment,
            keyValues: {
              ...environment,
              ...(pullPolicy !== "" && { ISTIO_META_WASM_IMAGE_PULL_POLICY: pullPolicy }),
            },
          },
        },
      },
    },
  });
  const resourceName = configName(extension);
  const message = create(TypedExtensionConfigSchema, { name: resourceName, typedConfig });
  return resourceOf(TypedExtensionConfigSchema, resourceName, message);
}
