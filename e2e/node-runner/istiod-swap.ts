import { join } from "node:path";
import { imageTag } from "../images/build-images.ts";
import { OpenImage } from "../images/storage.ts";
import { runHelm } from "../peers/helm.ts";
import { http } from "../peers/http.ts";
import { createNamespace, setValues } from "../peers/keelson-chart.ts";
import { type KubeApiserver, startKubeApiserver } from "../peers/kube-apiserver.ts";
import { requirePeer } from "../peers/peer-cache.ts";
import { peerRunFolder } from "../peers/peer-process.ts";
import { missedByIstiod } from "../peers/rights-of-istiod.ts";
import { until } from "../world/until.ts";
import { giveRoot, makePod } from "./cluster-objects.ts";
import { NodeRunner } from "./node-runner.ts";

const namespace = "istio-system";
const rule = "swapped";

/** Today's istiod chart and definitions with only the image changed, as docs/install.md says. @throws Error with what went wrong */
export async function runIstiodSwap(say: (line: string) => void): Promise<void> {
  await using open = new AsyncDisposableStack();
  const apiserver = open.adopt(await startKubeApiserver(), (server) => server.stop());
  const image = open.use(await OpenImage.open(imageTag("pilot")));
  const images = new Map([[imageTag("pilot"), image]]);
  const runner = new NodeRunner({ apiserver, node: "keelson-test-node", images, services: [] });

  await createNamespace(apiserver, namespace);
  await giveRoot(apiserver, namespace, await peerRunFolder("root"));
  await installIstiodChart(apiserver);
  const pod = await makePod(apiserver, namespace, "deployment/istiod", "keelson-test-node");
  const pilot = open.adopt(await runner.start(pod), (running) => running.process.stop());
  await pilot.ready();
  const { body } = await ask("/ready");
  if (!body.includes('"problems":{}')) throw new Error(`with istiod's chart the control plane says ${body}`);
  say(`with istiod's chart, the control plane is ready: ${body.trim()}`);

  const missed = await missedWithRightsOfIstiod(apiserver);
  if (missed !== "") throw new Error(`istiod's roles do not give what is read: ${missed}`);
  say("istiod's roles give all that is read");

  await apiserver.apply({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: rule, namespace: "default" },
    spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host: "reviews" } }] }] },
  });
  await until(async () => (await ask("/debug/configz")).body.includes(rule), {
    what: `rule ${rule} to be read`,
  });
  say("a rule that is applied is read");
}

const ask = (path: string) => http({ host: "127.0.0.1", port: 8080, path });

async function installIstiodChart(apiserver: KubeApiserver): Promise<void> {
  const { folder } = await requirePeer("istiod");
  const definitions = join(folder, "charts/base/files/crd-all.gen.yaml");
  await apiserver.kubectl(["apply", "--server-side", "-f", definitions]);
  const chart = join(folder, "charts/istio-control/istio-discovery");
  const values = setValues({ "pilot.image": imageTag("pilot") });
  const args = ["install", "istiod", chart, `--namespace=${namespace}`, ...values];
  const { code, stdout, stderr } = await runHelm(args, { kubeconfig: apiserver.kubeconfig });
  if (code !== 0) throw new Error(`helm install of istiod's chart ended with ${code}: ${stderr || stdout}`);
}

/** @returns what cannot be read with the rights that istiod's chart gives; empty for nothing. */
async function missedWithRightsOfIstiod(apiserver: KubeApiserver): Promise<string> {
  const { waiting, failing, problems } = await missedByIstiod(apiserver, namespace);
  const said = [...Object.values(waiting), ...Object.values(failing)];
  return [...said, ...problems.map(({ message }) => message)].join("; ");
}
