import { ConfigMapLock, LeaseLock } from "@keelson/pilot/kubernetes";
import { ApiServer, loadKubeConfig } from "@keelson/sources";
import { expect } from "vitest";
import { peerTest } from "../../peers/peer-test.ts";
import { until } from "../../world/until.ts";
import { Candidate, overlaps, type Term } from "../candidate.ts";
import { CuttableProxy } from "../cuttable-proxy.ts";
import { writingPeers as peers, type WritingWorld } from "./writing-world.ts";

const namespace = "default";

/** One leads at a time, whatever becomes of the others. */
export function lockTests(world: () => WritingWorld): void {
  const asAdministrator = async (): Promise<ApiServer> =>
    new ApiServer(await loadKubeConfig(world().apiserver.kubeconfig));

  /** As kubectl shows it. */
  async function record(name: string): Promise<Record<string, unknown>> {
    const path = "{.metadata.annotations.control-plane\\.alpha\\.kubernetes\\.io/leader}";
    const args = ["get", "configmap", name, "-n", namespace, "-o", `jsonpath=${path}`];
    return JSON.parse(await world().apiserver.kubectl(args)) as Record<string, unknown>;
  }

  peerTest(peers, "one leads at a time; who ends gives its lock to the next at once", async () => {
    const terms: Term[] = [];
    const api = await asAdministrator();
    const lock = () => new ConfigMapLock({ api, namespace, name: "in-turn" });
    const first = new Candidate({ lock: lock(), who: "first", terms });
    await first.untilItLeads();
    const second = new Candidate({ lock: lock(), who: "second", terms });
    expect(await record("in-turn")).toMatchObject({
      holderIdentity: "first",
      holderKey: "default",
      leaseDurationSeconds: 2,
      leaderTransitions: 0,
    });
    await first.end();
    expect(first.events.map(({ kind }) => kind)).toEqual(["leading", "released"]);
    await second.untilItLeads();
    expect(await record("in-turn")).toMatchObject({ holderIdentity: "second", leaderTransitions: 1 });
    expect(overlaps(terms)).toEqual([]);
    await second.end();
    expect(await record("in-turn")).toMatchObject({ holderIdentity: "", holderKey: "" });
  });

  peerTest(peers, "who cannot reach the API server stops its work before another begins", async () => {
    const proxy = await CuttableProxy.start(world().apiserver.port);
    const config = await loadKubeConfig(await world().apiserver.kubeconfigBy(proxy.port));
    const terms: Term[] = [];
    const lease = (by: ApiServer) => new LeaseLock({ api: by, namespace, name: "cut-off" });
    const cutOff = new Candidate({ lock: lease(new ApiServer(config)), who: "cut-off", terms });
    await cutOff.untilItLeads();
    const other = new Candidate({ lock: lease(await asAdministrator()), who: "other", terms });
    proxy.shut();
    await other.untilItLeads();
    expect(terms.map(({ who }) => who)).toEqual(["cut-off", "other"]);
    expect(overlaps(terms)).toEqual([]);
    expect(cutOff.events.map(({ kind }) => kind)).toContain("lost");
    await cutOff.end();
    await other.end();
    await proxy.close();
  });

  peerTest(peers, "the control plane of the default revision goes first", async () => {
    const terms: Term[] = [];
    const api = await asAdministrator();
    const lease = () => new LeaseLock({ api, namespace, name: "by-revision" });
    const canary = new Candidate({ lock: lease(), who: "canary", key: "canary", terms });
    await canary.untilItLeads();
    const key = ["get", "lease", "by-revision", "-o", "jsonpath={.metadata.annotations}"];
    expect(await world().apiserver.kubectl(key)).toBe('{"leader.istio.io/holder-key":"canary"}');
    const outranks = (holderKey: string): boolean => holderKey !== "default";
    const byDefault = new Candidate({ lock: lease(), who: "default", key: "default", outranks, terms });
    await byDefault.untilItLeads();
    expect(byDefault.leads).toBe(true);
    await until(() => !canary.leads, { what: "the other one to give way" });
    await Promise.all([canary.end(), byDefault.end()]);
  });

  peerTest(peers, "without the right to write it there is no lock, and no work", async () => {
    const config = await loadKubeConfig(await world().apiserver.kubeconfigOf("nobody"));
    const terms: Term[] = [];
    const lock = new ConfigMapLock({ api: new ApiServer(config), namespace, name: "refused" });
    const candidate = new Candidate({ lock, who: "nobody", terms });
    const refused = await until(() => candidate.events.find(({ kind }) => kind === "refused"), {
      what: "the refusal",
    });
    expect(refused).toMatchObject({ why: expect.stringContaining('cannot get resource "configmaps"') });
    await candidate.end();
    expect(terms).toEqual([]);
  });
}
