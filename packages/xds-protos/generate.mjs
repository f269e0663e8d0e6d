// Makes gen/ from the .proto files that npm's @grpc/grpc-js-xds carries: typed Envoy v3 messages, and their
// descriptors. Nothing is downloaded and nothing generated is committed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const packageFile = (name) => createRequire(import.meta.url).resolve(`${name}/package.json`);
const carrier = dirname(packageFile("@grpc/grpc-js-xds"));

/** What the workspace uses; what these import comes with them. */
const entries = [
  "envoy/admin/v3/config_dump.proto",
  "envoy/config/bootstrap/v3/bootstrap.proto",
  "envoy/config/cluster/v3/cluster.proto",
  "envoy/config/endpoint/v3/endpoint.proto",
  "envoy/config/listener/v3/listener.proto",
  "envoy/config/route/v3/route.proto",
  "envoy/extensions/access_loggers/file/v3/file.proto",
  "envoy/extensions/access_loggers/stream/v3/stream.proto",
  "envoy/extensions/filters/http/cors/v3/cors.proto",
  "envoy/extensions/filters/http/fault/v3/fault.proto",
  "envoy/extensions/filters/http/grpc_stats/v3/config.proto",
  "envoy/extensions/filters/http/grpc_web/v3/grpc_web.proto",
  "envoy/extensions/filters/http/jwt_authn/v3/config.proto",
  "envoy/extensions/filters/http/rbac/v3/rbac.proto",
  "envoy/extensions/filters/http/router/v3/router.proto",
  "envoy/extensions/filters/http/set_filter_state/v3/set_filter_state.proto",
  "envoy/extensions/filters/http/wasm/v3/wasm.proto",
  "envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto",
  "envoy/extensions/filters/listener/original_dst/v3/original_dst.proto",
  "envoy/extensions/filters/listener/original_src/v3/original_src.proto",
  "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
  "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
  "envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.proto",
  "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
  "envoy/extensions/load_balancing_policies/least_request/v3/least_request.proto",
  "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.proto",
  "envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.proto",
  "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
  "envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
  "envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream.proto",
  "envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto",
  "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto",
  "envoy/extensions/transport_sockets/tls/v3/tls.proto",
  "envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
  "envoy/service/discovery/v3/ads.proto",
  "envoy/service/status/v3/csds.proto",
];

const roots = {
  "envoy-api": ["envoy"],
  googleapis: ["google/api", "google/rpc"],
  "protoc-gen-validate": ["validate"],
  xds: ["udpa", "xds"],
};

const template = {
  version: "v2",
  clean: true,
  plugins: [
    {
      local: "protoc-gen-es",
      out: "build/gen",
      include_imports: true,
      opt: ["target=js+dts", "import_extension=js"],
    },
  ],
};

/** The published envoy-api uses a field that the validate.proto published beside it lacks. */
function repairValidate(folder) {
  const file = join(folder, "validate/validate.proto");
  const text = readFileSync(file, "utf8");
  if (text.includes("ignore_empty = 26")) return;
  const head = "message StringRules {";
  if (!text.includes(head)) throw new Error(`${file}: no "${head}"; the carrier package has changed`);
  writeFileSync(file, text.replace(head, `${head}\n  optional bool ignore_empty = 26;`));
}

const stamp = ["@grpc/grpc-js-xds", "@bufbuild/buf", "@bufbuild/protoc-gen-es"]
  .map(packageFile)
  .concat(fileURLToPath(import.meta.url))
  .reduce((hash, file) => hash.update(readFileSync(file)), createHash("sha256"))
  .digest("hex");
const stampFile = join(here, "gen/stamp");

if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
  const build = join(here, "build/proto");
  rmSync(build, { recursive: true, force: true });
  mkdirSync(build, { recursive: true });
  for (const [dependency, folders] of Object.entries(roots)) {
    for (const folder of folders) {
      const source = join(carrier, "deps", dependency, folder);
      if (existsSync(source)) cpSync(source, join(build, folder), { recursive: true });
    }
  }
  repairValidate(build);
  const paths = entries.flatMap((entry) => ["--path", join("build/proto", entry)]);
  execFileSync("buf", ["generate", "build/proto", "--template", JSON.stringify(template), ...paths], {
    cwd: here,
    stdio: "inherit",
  });
  writeFileSync(join(here, "build/gen/stamp"), stamp);
  // Moved when it is whole: what is read meanwhile, or left by an interrupted run, is the generation before.
  rmSync(join(here, "gen"), { recursive: true, force: true });
  renameSync(join(here, "build/gen"), join(here, "gen"));
}
