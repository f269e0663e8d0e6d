import * as grpc from "@grpc/grpc-js";
import { serverOptions, XdsServer } from "@keelson/xds";
import { type RelayMesh, relayResources } from "@keelson/xds/envoy/relay";
import { envoyTypeRules } from "@keelson/xds/proxies";

/** Serves one Envoy, over a Unix socket, what it is configured by, and knows when it has taken that. */
export class RelayXds {
  private readonly server = new grpc.Server(serverOptions);
  private readonly xds: XdsServer;
  private version = 0n;
  /** The snapshot of which it was sent all last. */
  private sent = 0n;
  private readonly looks = new Set<() => void>();

  constructor() {
    this.xds = new XdsServer({
      types: envoyTypeRules,
      onEvent: (event) => {
        if (event.kind === "brought") this.sent = BigInt(event.version);
        setImmediate(() => {
          for (const look of this.looks) look();
        });
      },
    });
    this.xds.register(this.server);
  }

  /** @param socket its path, which must be free */
  async listen(socket: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    await promise;
  }

  /** What it gets from now on, or has from the start if it is not there yet. */
  set(mesh: RelayMesh): void {
    this.version += 1n;
    this.xds.setSnapshot({ version: this.version, resources: relayResources(mesh, this.version) });
  }

  /** Resolves when it has taken what was set last. @throws Error with what it says against it */
  taken(): Promise<void> {
    const { version } = this;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const [envoy] = this.xds.nodes();
        if (envoy === undefined || envoy.pendingSince !== undefined || this.sent < version) return;
        const types = Object.values(envoy.types);
        if (types.some(({ sentNonce, ackedNonce, rejection }) => sentNonce !== ackedNonce && !rejection))
          return;
        this.looks.delete(look);
        const against = types.flatMap(({ rejection }) => rejection?.message ?? []);
        if (against.length === 0) resolve();
        else reject(new Error(`Envoy refuses it: ${against.join("; ")}`));
      };
      this.looks.add(look);
      look();
    });
  }

  close(): void {
    this.xds.close();
    this.server.forceShutdown();
  }
}
