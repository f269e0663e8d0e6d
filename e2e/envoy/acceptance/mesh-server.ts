import { join } from "node:path";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { noCredentials } from "@keelson/model";
import type { PolicyIr } from "@keelson/protos";
import { type ConnectionView, serverOptions, type View, XdsServer } from "@keelson/xds";
import {
  envoyTypeRules,
  isProxyless,
  keptProxyMetadata,
  type PolicySnapshot,
  PolicyViews,
} from "@keelson/xds/proxies";
import { Secrets } from "./secrets.ts";

/** Changes what a proxy is sent, to see that it is noticed; the same view for the same view. */
export type Alter = (view: View) => View;

/** The xDS server of the control plane on a Unix socket, which it is given one mesh after the other for. */
export class MeshServer implements AsyncDisposable {
  readonly socket: string;
  /** What proxies refused since the last call of `takeNacks`. */
  private nacks: string[] = [];
  private readonly xds: XdsServer<PolicySnapshot>;
  private readonly server: grpc.Server;
  private version = 0n;

  private constructor(socket: string, secrets: Secrets, alter: Alter) {
    this.socket = socket;
    const policies = new PolicyViews({ namespaceOf: () => undefined, onWithheld: () => undefined });
    const views = new WeakMap<View, View>();
    this.xds = new XdsServer<PolicySnapshot>({
      types: envoyTypeRules,
      keptMetadata: keptProxyMetadata,
      answersInFull: isProxyless,
      viewOf: (node, snapshot) => {
        const policy = policies.viewOf(node, snapshot);
        const known = views.get(policy);
        if (known !== undefined) return known;
        const view = alter(withSecrets(policy, secrets));
        views.set(policy, view);
        return view;
      },
      onEvent: (event) => {
        if (event.kind !== "nack") return;
        this.nacks.push(`${event.node} refused ${event.typeUrl}: ${event.message}`);
      },
    });
    this.server = new grpc.Server(serverOptions);
    this.xds.register(this.server);
    secrets.register(this.server);
  }

  /** @param folder for its socket */
  static async start(folder: string, alter: Alter = (view) => view): Promise<MeshServer> {
    const made = new MeshServer(join(folder, "xds.sock"), await Secrets.make(), alter);
    const bind = promisify(made.server.bindAsync.bind(made.server));
    await bind(`unix:${made.socket}`, grpc.ServerCredentials.createInsecure());
    return made;
  }

  /** Makes it the mesh that all proxies are brought to. */
  set(ir: PolicyIr): void {
    this.version += 1n;
    this.xds.setSnapshot({ version: this.version, ir, credentials: noCredentials, resources: new Map() });
  }

  /** The stream of the proxy whose NODE_NAME it is; undefined until it has told. */
  connection(name: string): ConnectionView | undefined {
    return this.xds.views().find((view) => view.name === name);
  }

  /** What the proxy whose NODE_NAME it is refused since the last call. */
  takeNacks(name: string): string[] {
    const own = this.nacks.filter((nack) => nack.startsWith(`${name} `));
    this.nacks = this.nacks.filter((nack) => !own.includes(nack));
    return own;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.xds.close();
    this.server.forceShutdown();
  }
}

const withSecrets = (view: View, secrets: Secrets): View => ({
  resources: (typeUrl) => view.resources(typeUrl),
  lookup: (typeUrl, name) => view.lookup?.(typeUrl, name) ?? secrets.lookup(typeUrl, name),
});
