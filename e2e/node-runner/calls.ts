import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import { command } from "../world/command.ts";
import { commandInside } from "../world/running-process.ts";
import { until } from "../world/until.ts";

const namespace = "default";

/** The address that is called. */
const clusterIp = "10.96.77.1";

/** Two Services with a server each; calls go to the first. */
export interface TwoServices extends AsyncDisposable {
  /** By a VirtualService. */
  sendCallsToTheOther(): Promise<void>;
}

/** The servers are on addresses of this machine, as no EndpointSlice may name a loopback address. */
export async function startTwoServices(apiserver: KubeApiserver): Promise<TwoServices> {
  const servers: Server[] = [];
  for (const [index, name] of (["first", "second"] as const).entries()) {
    const address = `10.97.77.${index + 1}`;
    await command("ip", ["address", "replace", `${address}/32`, "dev", "lo"]);
    const server = createServer((_, response) => response.end(name)).listen(9080, address);
    await once(server, "listening");
    servers.push(server);
    await apiserver.apply(...serviceObjects(name, address, index === 0 ? { clusterIP: clusterIp } : {}));
  }
  return {
    sendCallsToTheOther: () => apiserver.apply(toTheOther),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

const serviceObjects = (name: string, address: string, spec: object): object[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { ...spec, ports: [{ name: "tcp-calls", port: 80, targetPort: 9080 }] },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "tcp-calls", port: 9080, protocol: "TCP" }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  },
];

const toTheOther = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "to-the-other", namespace },
  spec: { hosts: ["first"], tcp: [{ route: [{ destination: { host: "second" } }] }] },
};

/** Calls from a cgroup, each by a process of its own. */
export class Caller {
  private readonly cgroup: string;

  constructor(cgroup: string) {
    this.cgroup = cgroup;
  }

  /** Waits until the Service's address is answered by a server of this name. */
  async untilAnswered(name: string): Promise<void> {
    const script = `fetch("http://${clusterIp}/").then((answer) => answer.text()).then(console.log)`;
    const [file, ...args] = commandInside({
      command: [process.execPath, "--eval", script],
      cgroup: this.cgroup,
    });
    await until(async () => (await command(file, args)).trim() === name, {
      what: `${clusterIp} to be answered by ${name}`,
      timeoutMs: 30_000,
      everyMs: 200,
    });
  }
}
