import type { ApiServer, RawObject } from "@keelson/sources";
import { z } from "zod";
import { KeptObjects } from "./kept-objects.ts";
import type { WriteReport } from "./write-report.ts";

/** Its label names the revision that is the default one of a cluster (istioctl tag set default). */
const tagName = "istio-revision-tag-default";
const revisionLabel = "istio.io/rev";

/** Which revision of Istio is the default one: its control plane goes first where only one may write. */
export class DefaultRevision {
  private readonly tag: KeptObjects<string>;

  constructor(api: ApiServer, report: WriteReport) {
    this.tag = new KeptObjects<string>({
      api,
      collection: {
        group: "admissionregistration.k8s.io",
        version: "v1",
        plural: "mutatingwebhookconfigurations",
        fieldSelector: `metadata.name=${tagName}`,
      },
      namespaced: false,
      keep: revisionOf,
      onChange: () => undefined,
      report,
    });
  }

  /** Empty: none, as far as is known. */
  get current(): string {
    return this.tag.kept.get(tagName) ?? "";
  }

  run(stop: AbortSignal): Promise<void> {
    return this.tag.run(stop);
  }

  /**
   * Whether a control plane of `revision` may take a lock from its holder: the default revision from any other one, and
   * one inside the cluster from one of the same revision outside it.
   * @param holderKey the holder's revision, behind a "^" if it is outside
   */
  outranks(revision: string, holderKey: string): boolean {
    const isOutside = holderKey.startsWith("^");
    const holder = isOutside ? holderKey.slice(1) : holderKey;
    return holder === revision ? isOutside : this.current === revision;
  }
}

const revisionOf = ({ metadata: { labels } }: RawObject): string | undefined =>
  z.record(z.string(), z.string()).safeParse(labels).data?.[revisionLabel];
