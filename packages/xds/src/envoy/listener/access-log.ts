import { create, type JsonObject } from "@bufbuild/protobuf";
import {
  type AccessLog,
  AccessLogSchema,
} from "@envoyproxy/xds-protos/envoy/config/accesslog/v3/accesslog_pb.js";
import { FileAccessLogSchema } from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "@envoyproxy/xds-protos/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import type { Mesh } from "@keelson/protos/proxy";
import { type Init, typedConfig } from "../wire.ts";

/** Istio's fields of a JSON access log: name → Envoy's command. */
const jsonFields: JsonObject = {
  authority: "%REQ(:AUTHORITY)%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  duration: "%DURATION%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  request_id: "%REQ(X-REQUEST-ID)%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  response_code: "%RESPONSE_CODE%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  response_flags: "%RESPONSE_FLAGS%",
  route_name: "%ROUTE_NAME%",
  start_time: "%START_TIME%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  user_agent: "%REQ(USER-AGENT)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
};

/** The same in one line, in the order that tools for Istio's logs expect. */
const textLine = [
  "[%START_TIME%]",
  '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"',
  "%RESPONSE_CODE%",
  "%RESPONSE_FLAGS%",
  "%RESPONSE_CODE_DETAILS%",
  "%CONNECTION_TERMINATION_DETAILS%",
  '"%UPSTREAM_TRANSPORT_FAILURE_REASON%"',
  "%BYTES_RECEIVED%",
  "%BYTES_SENT%",
  "%DURATION%",
  "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  '"%REQ(X-FORWARDED-FOR)%"',
  '"%REQ(USER-AGENT)%"',
  '"%REQ(X-REQUEST-ID)%"',
  '"%REQ(:AUTHORITY)%"',
  '"%UPSTREAM_HOST%"',
  "%UPSTREAM_CLUSTER_RAW%",
  "%UPSTREAM_LOCAL_ADDRESS%",
  "%DOWNSTREAM_LOCAL_ADDRESS%",
  "%DOWNSTREAM_REMOTE_ADDRESS%",
  "%REQUESTED_SERVER_NAME%",
  "%ROUTE_NAME%",
].join(" ");

/** Undefined for a text that is no JSON object: the log then has Istio's fields. */
function parseFields(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

type LogFormat = Extract<Init<typeof FileAccessLogSchema>["accessLogFormat"], { case: "logFormat" }>;

function logFormat({ accessLogJson, accessLogFormat }: Mesh): LogFormat {
  if (accessLogJson) {
    const value = parseFields(accessLogFormat) ?? jsonFields;
    return { case: "logFormat", value: { format: { case: "jsonFormat", value } } };
  }
  const inlineString = accessLogFormat === "" ? `${textLine}\n` : accessLogFormat;
  const specifier = { case: "inlineString" as const, value: inlineString };
  return { case: "logFormat", value: { format: { case: "textFormatSource", value: { specifier } } } };
}

/** Envoy writes to its own streams without opening them by a path, which fails where they are sockets. */
function logger(mesh: Mesh): Init<typeof AccessLogSchema> {
  const { accessLogFile: path } = mesh;
  const { value: format } = logFormat(mesh);
  const accessLogFormat = { case: "logFormat" as const, value: format };
  switch (path) {
    case "/dev/stdout":
      return {
        name: "envoy.access_loggers.stdout",
        configType: typedConfig(StdoutAccessLogSchema, { accessLogFormat }),
      };
    case "/dev/stderr":
      return {
        name: "envoy.access_loggers.stderr",
        configType: typedConfig(StderrAccessLogSchema, { accessLogFormat }),
      };
    default:
      return {
        name: "envoy.access_loggers.file",
        configType: typedConfig(FileAccessLogSchema, { path, accessLogFormat }),
      };
  }
}

function accessLogsWith(mesh: Mesh, filter: Init<typeof AccessLogSchema>["filter"]): AccessLog[] {
  if (mesh.accessLogFile === "") return [];
  return [create(AccessLogSchema, { ...logger(mesh), ...(filter && { filter }) })];
}

/** None where the mesh's access log file is empty. */
export const accessLogs = (mesh: Mesh): AccessLog[] => accessLogsWith(mesh, undefined);

/** A listener logs only what no filter chain took ("NR"); the chains log the rest. */
export const unmatchedAccessLogs = (mesh: Mesh): AccessLog[] =>
  accessLogsWith(mesh, { filterSpecifier: { case: "responseFlagFilter", value: { flags: ["NR"] } } });
