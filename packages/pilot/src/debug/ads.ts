import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, AnySchema, timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  type ClientConfig,
  ClientConfigSchema,
  ConfigStatus,
} from "@envoyproxy/xds-protos/envoy/service/status/v3/csds_pb.js";
import { formatIdentity, type Identity } from "../auth/identity.ts";
import type { DebugSettings } from "../settings/discovery-settings.ts";
import type { BuildInfo } from "../version.ts";
import { debugAccess } from "./access.ts";
import { configDump } from "./config-dump.ts";
import type { DebugPages } from "./debug-pages.ts";
import type { DebugState } from "./debug-state.ts";
import type { ProxyConnection, Watch } from "./proxy-connection.ts";

/** Types that istioctl asks for over xDS. */
export const debugTypeUrls = {
  page: "istio.io/debug",
  syncz: "istio.io/debug/syncz",
  configDump: "istio.io/debug/config_dump",
} as const;

/** Why a caller gets nothing; the gRPC status of its stream. */
export class DebugRefusal extends Error {
  override readonly name = "DebugRefusal";
  readonly code: "UNAUTHENTICATED" | "INVALID_ARGUMENT" | "PERMISSION_DENIED";

  constructor(code: DebugRefusal["code"], message: string) {
    super(message);
    this.code = code;
  }
}

export interface DebugContext {
  readonly state: DebugState;
  readonly pages: DebugPages;
  /** Undefined if nobody vouches for it, as on a port without TLS. */
  readonly caller: Identity | undefined;
  readonly settings: Pick<DebugSettings, "byNamespace" | "allowedNamespaces">;
  readonly rootNamespace: string;
}

/** A resource of a response, whose type need not be the one that was asked for. */
export interface DebugResource {
  readonly name: string;
  readonly any: Any;
}

/**
 * What a request over xDS for one of `debugTypeUrls` gets; nothing for a type that is none of them.
 * @param names that were asked for
 * @throws DebugRefusal
 */
export function debugResources(
  typeUrl: string,
  names: readonly string[],
  context: DebugContext,
): readonly DebugResource[] {
  switch (typeUrl) {
    case debugTypeUrls.page:
      return [page(names, context)];
    case debugTypeUrls.syncz:
      return syncz(visible(context));
    case debugTypeUrls.configDump:
      return dump(names, visible(context), context.state.pushVersion);
    default:
      return [];
  }
}

/** Who a control plane is, for the answers that istioctl tells several control planes apart by. */
export function controlPlaneIdentifier(podName: string, build: BuildInfo): string {
  return JSON.stringify({ Component: "istiod", ID: podName, Info: build });
}

const refused = (code: DebugRefusal["code"], message: string): DebugRefusal =>
  new DebugRefusal(code, message);

function page(names: readonly string[], context: DebugContext): DebugResource {
  const { state, pages, caller, settings, rootNamespace } = context;
  if (caller === undefined) throw refused("UNAUTHENTICATED", "authentication required");
  const [asked, ...others] = names;
  if (asked === undefined || others.length > 0) {
    throw refused("INVALID_ARGUMENT", "exactly one debug request is required");
  }
  const [, name = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(asked) ?? [];
  const access = debugAccess(caller, pages.find(name), settings, rootNamespace);
  if (!access.allowed) {
    const identity = JSON.stringify(formatIdentity(caller));
    throw refused("PERMISSION_DENIED", `the debug info is not available for current identity: ${identity}`);
  }
  const { namespace } = access;
  const { body } = pages.answer(name, { state, query: new URLSearchParams(query), namespace });
  const any = create(AnySchema, { typeUrl: debugTypeUrls.page, value: new TextEncoder().encode(body) });
  return { name: asked, any };
}

/** The proxies that a caller may see. */
function visible({ state, caller, settings, rootNamespace }: DebugContext): readonly ProxyConnection[] {
  if (!settings.byNamespace) return state.connections;
  if (caller === undefined) throw refused("UNAUTHENTICATED", "authentication required");
  const access = debugAccess(caller, { forAllNamespaces: true }, settings, rootNamespace);
  const only = access.allowed ? access.namespace : caller.namespace;
  return state.connections.filter(({ namespace }) => only === undefined || namespace === only);
}

/** Whoever has an agent beside it; those who only look, as istioctl does, have none. */
const isProxy = ({ metadata, type }: ProxyConnection): boolean =>
  (metadata["PROXY_CONFIG"] ?? null) !== null || type === "ztunnel";

function syncz(connections: readonly ProxyConnection[]): readonly DebugResource[] {
  return connections.filter(isProxy).map((connection) => {
    const message = create(ClientConfigSchema, clientConfig(connection));
    const any = create(AnySchema, {
      typeUrl: `type.googleapis.com/${ClientConfigSchema.typeName}`,
      value: toBinary(ClientConfigSchema, message),
    });
    return { name: connection.proxy, any };
  });
}

function clientConfig(connection: ProxyConnection): Parameters<typeof create<typeof ClientConfigSchema>>[1] {
  const { proxy, watches } = connection;
  const types = [...watches].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    node: { id: proxy, metadata: identifyingMetadata(connection) },
    genericXdsConfigs: types.map(([typeUrl, watch]) => {
      const { sentAt, error } = watch;
      const lastUpdated = sentAt === undefined ? {} : { lastUpdated: timestampFromDate(sentAt) };
      const errorState =
        error === ""
          ? {}
          : {
              errorState: {
                details: error,
                ...(sentAt && { lastUpdateAttempt: timestampFromDate(sentAt) }),
              },
            };
      return { typeUrl, configStatus: configStatus(watch), ...lastUpdated, ...errorState };
    }),
  };
}

const identifyingMetadata = ({
  clusterId,
  namespace,
  istioVersion,
}: ProxyConnection): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ CLUSTER_ID: clusterId, NAMESPACE: namespace, ISTIO_VERSION: istioVersion }).filter(
      ([, value]) => value !== "",
    ),
  );

function configStatus({
  sent,
  acked,
  error,
}: Watch): ClientConfig["genericXdsConfigs"][number]["configStatus"] {
  if (error !== "") return ConfigStatus.ERROR;
  if (sent === "") return ConfigStatus.NOT_SENT;
  return acked === sent ? ConfigStatus.SYNCED : ConfigStatus.STALE;
}

/** Nothing, if not exactly one proxy is named, or it is not here: it may be with another control plane. */
function dump(
  names: readonly string[],
  connections: readonly ProxyConnection[],
  pushVersion: string,
): readonly DebugResource[] {
  const [wanted, ...others] = names;
  if (wanted === undefined || others.length > 0) return [];
  const connection = connections.find(({ id }) => id.includes(wanted));
  if (connection === undefined) return [];
  return configDump(connection, pushVersion, { withEndpoints: false }).map((any) => ({ name: "", any }));
}
