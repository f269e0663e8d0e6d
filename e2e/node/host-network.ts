import assert from "node:assert/strict";
import { freePort } from "../world/free-port.ts";
import { type KubernetesObject, serviceObject } from "../world/objects.ts";
import type { Pod } from "../world/pod.ts";
import { layoutAt } from "./layouts.ts";
import type { NodeWorld } from "./node-world.ts";

// Loopback addresses only: such a pod is on the machine's own network.
const service = { name: "loopback", address: "127.96.0.1", port: 9080 };

/** Says who it is, on the loopback interface of whoever runs it. */
const server = `require("node:http")
  .createServer((_, response) => response.end(JSON.stringify({ pod: process.argv[1] })))
  .listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));`;

/** A service with one endpoint: what listens on the caller's own loopback interface. */
function objects(targetPort: number): KubernetesObject[] {
  const { name, address, port } = service;
  const ports = [{ name: "http", port, targetPort }];
  return [
    serviceObject({ name, addresses: [address], ports }),
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
      ports: [{ name: "http", port: targetPort, protocol: "TCP" }],
    },
  ];
}

const dial = (pod: Pod) => pod.send({ host: service.address, port: service.port, concurrency: 1 }, 5);

/** Programs know such a pod by its network, and need not be told of it. */
export async function leavesHostNetworkAlone(node: NodeWorld): Promise<void> {
  const layout = layoutAt(0);
  const details = { hostNetwork: true };
  const targetPort = await freePort();
  await node.world.change((config) => config.write("loopback", objects(targetPort)));
  const onHost = await node.addPod({ name: "on-host", layout, details });
  const inside = await node.addPod({ name: "inside", layout });
  for (const pod of [onHost, inside])
    await pod.startServer(process.execPath, "-e", server, pod.name, String(targetPort));
  const isLeftAlone = async (): Promise<void> => {
    const { answers, failures } = await dial(onHost);
    assert.deepEqual([answers, failures], [{}, { ECONNREFUSED: 5 }]);
  };
  assert.deepEqual((await dial(inside)).answers, { inside: 5 });
  await isLeftAlone();
  await node.untilPod(onHost, (status) => /on the node's network/.test(status?.why ?? ""));
  await node.tell(onHost, layout, details);
  await node.untilPod(
    onHost,
    (status) => status?.name === "default/on-host" && /hostNetwork/.test(status.why),
  );
  await isLeftAlone();
  await node.removePod(onHost, true);
  await node.removePod(inside, false);
  await node.world.change((config) => config.remove("loopback"));
}
