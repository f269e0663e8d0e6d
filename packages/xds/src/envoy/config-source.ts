import { create } from "@bufbuild/protobuf";
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "@envoyproxy/xds-protos/envoy/config/core/v3/config_source_pb.js";
import { clusterNames } from "./names.ts";
import { duration } from "./wire.ts";

/** Over the stream the proxy has; waited for as long as it takes, since what refers to it is useless without. */
export const overAds: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: { case: "ads", value: {} },
  initialFetchTimeout: duration(0),
  resourceApiVersion: ApiVersion.V3,
});

/** Secrets over the stream: one that does not exist must not hold up its listener or cluster for ever. */
export const secretsOverAds: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: { case: "ads", value: {} },
  resourceApiVersion: ApiVersion.V3,
});

/** Secrets that pilot-agent serves to its own Envoy. */
export const secretsOfAgent: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: {
    case: "apiConfigSource",
    value: {
      apiType: ApiConfigSource_ApiType.GRPC,
      transportApiVersion: ApiVersion.V3,
      setNodeOnFirstMessageOnly: true,
      grpcServices: [
        { targetSpecifier: { case: "envoyGrpc", value: { clusterName: clusterNames.agentSecrets } } },
      ],
    },
  },
  initialFetchTimeout: duration(0),
  resourceApiVersion: ApiVersion.V3,
});
