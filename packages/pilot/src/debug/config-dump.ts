import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import {
  BootstrapConfigDumpSchema,
  SecretsConfigDumpSchema,
} from "@envoyproxy/xds-protos/envoy/admin/v3/config_dump_pb.js";
import {
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
  ScopedRoutesConfigDumpSchema,
} from "@envoyproxy/xds-protos/envoy/admin/v3/config_dump_shared_pb.js";
import { SecretSchema } from "@envoyproxy/xds-protos/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { envoyTypeUrls } from "@keelson/xds/envoy";
import type { ProxyConnection } from "./proxy-connection.ts";

const redacted = new TextEncoder().encode("[redacted]");

const pack = <Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any =>
  create(AnySchema, {
    typeUrl: `type.googleapis.com/${schema.typeName}`,
    value: toBinary(schema, create(schema, init)),
  });

/** What a proxy should hold of a type, by name, without private keys. */
export function resourcesOf(
  connection: ProxyConnection,
  typeUrl: string,
): readonly { readonly name: string; readonly any: Any }[] {
  return connection.resources(typeUrl).map(({ name, body }) => {
    const value = typeUrl === envoyTypeUrls.secret ? withoutKey(body) : body;
    return { name, any: create(AnySchema, { typeUrl, value }) };
  });
}

function withoutKey(body: Uint8Array): Uint8Array {
  const secret = fromBinary(SecretSchema, body);
  if (secret.type.case !== "tlsCertificate" || secret.type.value.privateKey === undefined) return body;
  secret.type.value.privateKey.specifier = { case: "inlineBytes", value: redacted };
  return toBinary(SecretSchema, secret);
}

/**
 * What Envoy's admin page config_dump should say, in its order.
 * @param versionInfo of the newest snapshot
 */
export function configDump(
  connection: ProxyConnection,
  versionInfo: string,
  { withEndpoints }: { readonly withEndpoints: boolean },
): Any[] {
  const of = (typeUrl: string): readonly { readonly name: string; readonly any: Any }[] =>
    resourcesOf(connection, typeUrl);
  const endpoints = pack(EndpointsConfigDumpSchema, {
    dynamicEndpointConfigs: of(envoyTypeUrls.endpoint).map(({ any }) => ({
      versionInfo,
      endpointConfig: any,
    })),
  });
  return [
    pack(BootstrapConfigDumpSchema, {}),
    pack(ClustersConfigDumpSchema, {
      versionInfo,
      dynamicActiveClusters: of(envoyTypeUrls.cluster).map(({ any }) => ({ cluster: any })),
    }),
    ...(withEndpoints ? [endpoints] : []),
    pack(ListenersConfigDumpSchema, {
      versionInfo,
      dynamicListeners: of(envoyTypeUrls.listener).map(({ name, any }) => ({
        name,
        activeState: { versionInfo, listener: any },
      })),
    }),
    pack(ScopedRoutesConfigDumpSchema, {}),
    pack(RoutesConfigDumpSchema, {
      dynamicRouteConfigs: of(envoyTypeUrls.route).map(({ any }) => ({ versionInfo, routeConfig: any })),
    }),
    pack(SecretsConfigDumpSchema, {
      dynamicActiveSecrets: of(envoyTypeUrls.secret).map(({ any }) => ({ versionInfo, secret: any })),
    }),
    pack(EcdsConfigDumpSchema, {
      ecdsFilters: of(envoyTypeUrls.extensionConfig).map(({ any }) => ({ versionInfo, ecdsFilter: any })),
    }),
  ];
}
