import type { KubeApiserver } from "../peers/kube-apiserver.ts";
import { makePod, reportPhase } from "./cluster-objects.ts";
import type { NodeRunner, PodObject, RunningPod } from "./node-runner.ts";

export interface WorkloadPodOptions {
  readonly runner: NodeRunner;
  readonly apiserver: KubeApiserver;
  readonly namespace: string;
  /** "deployment/istiod", "daemonset/bpf-applier" */
  readonly workload: string;
  readonly node: string;
}

/** The one pod of a Deployment or DaemonSet; all pods of a node share its ports here, so the old one ends before the new one. */
export class WorkloadPod implements AsyncDisposable {
  private readonly options: WorkloadPodOptions;
  private current: { readonly pod: PodObject; readonly running: RunningPod } | undefined;

  constructor(options: WorkloadPodOptions) {
    this.options = options;
  }

  /** Of the workload as it is now; returns when its readiness probe says yes. */
  async replace(): Promise<RunningPod> {
    const { runner, apiserver, namespace, workload, node } = this.options;
    await this.stop();
    const pod = await makePod(apiserver, namespace, workload, node);
    const running = await runner.start(pod);
    this.current = { pod, running };
    await running.ready();
    await reportPhase(apiserver, pod, "Running");
    return running;
  }

  /** What `kubectl exec` does: in the pod's place, with its rights. @returns what the program said @throws Error if it failed */
  async run(...args: readonly string[]): Promise<string> {
    if (this.current === undefined) throw new Error(`no pod of ${this.options.workload} runs`);
    const running = await this.options.runner.start(this.current.pod, args);
    const how = await running.ended();
    const said = await running.process.process.lastLines();
    await running.process.stop();
    if (how !== "code 0") throw new Error(`${args.join(" ")} ended with ${how}: ${said}`);
    return said;
  }

  async stop(): Promise<void> {
    await this.current?.running.process.stop();
    this.current = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
