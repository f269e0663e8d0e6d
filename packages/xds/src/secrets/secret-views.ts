import type { Credentials } from "@keelson/model";
import type { Resource } from "@keelson/protos";
import type { Gateway } from "@keelson/protos/proxy";
import type { PeerNode } from "../server/peer-node.ts";
import type { Resources } from "../server/view.ts";
import { gatewayCredentials, type SecretReader } from "./access.ts";
import { findSecret } from "./find-secret.ts";

export interface SecretViewsOptions {
  /** Namespace of the workload that somebody vouches for; undefined: nobody does. */
  readonly namespaceOf: (node: PeerNode) => string | undefined;
  /** Told once of each secret that a peer asks for and does not get, as long as it does not. */
  readonly onWithheld: (node: PeerNode, name: string, why: string) => void;
}

/** What the secrets of a peer depend on. */
export interface SecretInputs {
  readonly credentials: Credentials;
  /** That the peer serves. */
  readonly gateways: () => readonly Gateway[];
}

interface Known {
  readonly inputs: readonly unknown[];
  readonly list: Resources;
}

/** Names that one peer asked for → why they were withheld the last time; undefined if they were not. */
type Asked = Map<string, string | undefined>;

/** A peer may ask for ever new names; those it asked for before this many others are forgotten. */
const rememberedNames = 10_000;

/**
 * The secrets of each peer. There are many, each with several names, so a peer's list holds those that it asked for
 * before, as they are now.
 */
export class SecretViews {
  private readonly options: SecretViewsOptions;
  private readonly known = new WeakMap<PeerNode, Known>();
  private readonly asked = new WeakMap<PeerNode, Asked>();

  constructor(options: SecretViewsOptions) {
    this.options = options;
  }

  /** The same list as before as long as nothing that the peer may have changed. */
  list(node: PeerNode, { credentials, gateways }: SecretInputs): Resources {
    const before = this.known.get(node);
    const reader = this.readerOf(node, gateways);
    const inputs = dependencies(reader, credentials);
    const isSame =
      before?.inputs.length === inputs.length && inputs.every((input, i) => input === before.inputs[i]);
    if (isSame) return before.list;
    const names = [...(this.asked.get(node)?.keys() ?? [])];
    const found = names.flatMap((name) => this.look(node, name, reader, credentials) ?? []);
    const list = new Map(found.map((resource) => [resource.name, resource]));
    this.known.set(node, { inputs, list });
    return list;
  }

  find(node: PeerNode, name: string, { credentials, gateways }: SecretInputs): Resource | undefined {
    const asked: Asked = this.asked.get(node) ?? new Map();
    this.asked.set(node, asked);
    const [oldest] = asked.keys();
    if (asked.size >= rememberedNames && !asked.has(name) && oldest !== undefined) asked.delete(oldest);
    return this.look(node, name, this.readerOf(node, gateways), credentials);
  }

  private look(
    node: PeerNode,
    name: string,
    reader: SecretReader | undefined,
    credentials: Credentials,
  ): Resource | undefined {
    const found = findSecret(name, reader, credentials);
    const why = "why" in found ? found.why : undefined;
    const asked = this.asked.get(node);
    if (why !== undefined && asked?.get(name) !== why) this.options.onWithheld(node, name, why);
    asked?.set(name, why);
    return "why" in found ? undefined : found;
  }

  private readerOf(node: PeerNode, gateways: SecretInputs["gateways"]): SecretReader | undefined {
    const namespace = this.options.namespaceOf(node);
    return namespace === undefined
      ? undefined
      : { namespace, gatewayCredentials: gatewayCredentials(gateways(), namespace) };
  }
}

/** All that decides what a reader gets. */
function dependencies(
  reader: SecretReader | undefined,
  { secrets, configMaps }: Credentials,
): readonly unknown[] {
  if (reader === undefined) return [];
  const named = [...reader.gatewayCredentials].sort();
  const namespaces = new Set([reader.namespace, ...named.map((name) => name.split("/")[2] ?? "")]);
  return [configMaps, named.join(" "), ...[...namespaces].map((namespace) => secrets.get(namespace))];
}
