import { expect, test } from "vitest";
import { discoveryEnvironment } from "../environment/environment.ts";
import { type Age, type SettingTable } from "../setting.ts";
import { parseValue } from "../value-types.ts";
import { discoveryFlags } from "./flags.ts";

// The flags of `pilot-discovery discovery`, copied from what each of these programs declares: name, type, default.
const declared: Readonly<Record<Exclude<Age, "keelson">, string>> = {
  "0.2": `
    registries list Kubernetes
    kubeconfig string
    meshConfig string /etc/istio/config/mesh
    namespace -n string
    appNamespace -a string
    resync duration 60s
    domain string cluster.local
    port int 8080
    profile bool true
    discovery_cache bool true
    consulconfig string
    consulserverURL string
    eurekaserverURL string
    admission-webhook-name string pilot-webhook.istio.io
    admission-service string istio-pilot-external
    admission-service-port int 443
    admission-secret string pilot-webhook
    admission-registration-delay duration 5s
    v -v int 0
    vmodule string
    log_backtrace_at string :0`,
  "0.7": `
    rdsv2 bool false
    registries list Kubernetes
    cfConfig string
    clusterRegistriesDir string
    kubeconfig string
    meshConfig string /etc/istio/config/mesh
    namespace -n string
    configDir string
    appNamespace -a string
    resync duration 60s
    domain string cluster.local
    port int 8080
    grpcAddr string :15010
    monitoringPort int 9093
    profile bool true
    discovery_cache bool true
    webhookEndpoint string
    consulconfig string
    consulserverURL string
    consulserverInterval duration 2s
    eurekaserverURL string
    eurekaserverInterval duration 2s
    admission-webhook-name string pilot-webhook.istio.io
    admission-service string istio-pilot
    admission-service-port int 443
    admission-secret string pilot-webhook
    admission-registration-delay duration 0s
    log_target list stdout
    log_rotate string
    log_rotate_max_age int 30
    log_rotate_max_size int 104857600
    log_rotate_max_backups int 1000
    log_as_json bool false
    log_callers bool false
    log_output_level string info
    log_stacktrace_level string none
    v -v int 0
    stderrthreshold string
    alsologtostderr bool false
    logtostderr bool false`,
  istiod: `
    registries list Kubernetes
    clusterRegistriesNamespace string istio-system
    kubeconfig string
    meshConfig string ./etc/istio/config/mesh
    networksConfig string ./etc/istio/config/meshNetworks
    namespace -n string istio-system
    cniNamespace string istio-system
    shutdownDuration duration 10s
    configDir string
    domain string cluster.local
    clusterID string Kubernetes
    clusterAliases map
    httpAddr string :8080
    httpsAddr string :15017
    grpcAddr string :15010
    secureGRPCAddr string :15012
    monitoringAddr string :15014
    profile bool true
    caCertFile string
    tlsCertFile string
    tlsKeyFile string
    tls-cipher-suites list
    tls-min-version string 1.2
    kubernetesApiQPS float 80
    kubernetesApiBurst int 160
    log_target list stdout
    log_as_json bool false
    log_output_level string
    log_stacktrace_level string default:none
    log_caller string
    vklog int 0
    ctrlz_port uint16 9876
    ctrlz_address string localhost
    keepaliveInterval duration 30s
    keepaliveTimeout duration 10s
    keepaliveMaxServerConnectionAge duration 2562047h47m16.854775807s`,
};

/** Defaults that an age has otherwise than istiod; ours is istiod's. */
const otherDefaults = new Set([
  "0.2 meshConfig",
  "0.2 namespace",
  "0.2 admission-service",
  "0.2 admission-registration-delay",
  "0.7 meshConfig",
  "0.7 namespace",
  "0.7 log_output_level",
  "0.7 log_stacktrace_level",
]);

const table: SettingTable = discoveryFlags;

function parseDeclared(age: string, line: string): object {
  const [, name = "", short, type, theirs = ""] = /^(\S+)(?: -(\w))? (\w+)(?: (\S+))?$/.exec(line) ?? [];
  const initial = otherDefaults.has(`${age} ${name}`) ? table[name]?.default : theirs;
  return { name, short, type, default: initial };
}

test.each(["0.2", "0.7", "istiod"] as const)(
  "every flag of %s is known, with its type and default",
  (age) => {
    const theirs = declared[age].trim().split(/\n */).sort();
    const ours = Object.entries(table).filter(([, { ages }]) => ages.includes(age));
    expect(
      ours
        .map(([name, { short, type, default: initial }]) => ({ name, short, type, default: initial }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ).toEqual(theirs.map((line) => parseDeclared(age, line)));
  },
);

test("a flag whose default is from a variable has the variable's default", () => {
  for (const { default: initial, defaultFrom } of Object.values(table)) {
    if (defaultFrom === undefined) continue;
    expect((discoveryEnvironment as SettingTable)[defaultFrom]?.default).toBe(initial);
  }
});

test("every default can be parsed, and every letter stands for one flag", () => {
  for (const { type, default: initial } of Object.values({
    ...table,
    ...discoveryEnvironment,
  } as SettingTable)) {
    expect(() => parseValue(type, initial)).not.toThrow();
  }
  const letters = Object.values(table).flatMap(({ short }) => short ?? []);
  expect(new Set(letters).size).toBe(letters.length);
});
