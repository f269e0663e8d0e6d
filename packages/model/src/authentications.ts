import { type Mesh, MutualTls, type PeerAuthentication } from "@keelson/protos/proxy";
import { describeObject, objectKey, type Problem, problemOf } from "./config-object.ts";
import type { PeerAuthenticationObject } from "./kinds/index.ts";
import type { ObjectLists } from "./list-memo.ts";
import { Memo } from "./memo.ts";
import type { Endpoint } from "./model.ts";
import { normalisePeerAuthentication } from "./normalise/peer-authentications.ts";
import { byAge } from "./order.ts";
import { PeerAuthentications } from "./peer-authentications.ts";

type Endpoints = ReadonlyMap<string, readonly Endpoint[]>;

/** Makes policies of who may call how; remembers what it made of what did not change. */
export class Authentications {
  private readonly made = new Memo<PeerAuthentication>();
  private readonly endpoints = new Memo<readonly Endpoint[]>();
  private current: { readonly inputs: readonly unknown[]; readonly index: PeerAuthentications } | undefined;

  /** The older one first. */
  build(objects: ObjectLists, mesh: Mesh, problems: Problem[]): PeerAuthentication[] {
    const all = objects.of("PeerAuthentication", "security.istio.io").toSorted(byAge);
    problems.push(...shadowed(all, mesh));
    const policies = all.map((object) =>
      this.made.get(objectKey(object), [object], () => normalisePeerAuthentication(object)),
    );
    this.made.endRound();
    return policies;
  }

  /** Endpoints that a policy makes take clear text only are no longer told to take mutual TLS. */
  applied(endpoints: Endpoints, policies: readonly PeerAuthentication[], { rootNamespace }: Mesh): Endpoints {
    const disables = policies.some(({ mode, portModes }) =>
      [mode, ...Object.values(portModes)].includes(MutualTls.DISABLE),
    );
    if (!disables) return endpoints;
    const index = this.indexOf(policies, rootNamespace);
    const changed = [...endpoints].map(([hostname, list]): [string, readonly Endpoint[]] => [
      hostname,
      this.endpoints.get(hostname, [list, index], () => withoutDisabled(list, index)),
    ]);
    this.endpoints.endRound();
    return new Map(changed);
  }

  private indexOf(policies: readonly PeerAuthentication[], rootNamespace: string): PeerAuthentications {
    const inputs = [rootNamespace, ...policies];
    const { current } = this;
    const isSame =
      current?.inputs.length === inputs.length && inputs.every((input, i) => input === current.inputs[i]);
    if (isSame) return current.index;
    this.current = { inputs, index: new PeerAuthentications(policies, rootNamespace) };
    return this.current.index;
  }
}

/** The same list if none of them is changed. */
function withoutDisabled(list: readonly Endpoint[], index: PeerAuthentications): readonly Endpoint[] {
  const isDisabled = ({ mutualTls, namespace, labels, port }: Endpoint): boolean =>
    mutualTls && index.modeOf(namespace, labels, port) === MutualTls.DISABLE;
  return list.some(isDisabled)
    ? list.map((endpoint) => (isDisabled(endpoint) ? { ...endpoint, mutualTls: false } : endpoint))
    : list;
}

/** What istiod passes over in silence. */
function shadowed(all: readonly PeerAuthenticationObject[], { rootNamespace }: Mesh): Problem[] {
  const counting = new Map<string, PeerAuthenticationObject>();
  return all.flatMap((object) => {
    const { namespace } = object.metadata;
    const selects = Object.keys(object.body.spec.selector?.matchLabels ?? {}).length > 0;
    if (selects && namespace === rootNamespace) {
      const text = `has no effect in the root namespace ${rootNamespace}, where policies are for the whole mesh`;
      return [problemOf("warning", object, ["spec", "selector"], text)];
    }
    const first = selects ? undefined : counting.get(namespace);
    if (!selects && first === undefined) counting.set(namespace, object);
    if (first === undefined) return [];
    const text = `has no effect: ${describeObject(first)} is older and for the whole namespace, too`;
    return [problemOf("warning", object, ["spec"], text)];
  });
}
