import { credentials } from "@grpc/grpc-js";
import { Backoff } from "../client/backoff.ts";
import { type ClientState, DeltaXdsClient, type DeltaXdsClientOptions } from "../client/delta-xds-client.ts";
import type { DeltaUpdate } from "../client/updates.ts";

type Options = Partial<DeltaXdsClientOptions> & Pick<DeltaXdsClientOptions, "address" | "typeUrls">;

/** A client that holds what it is sent, and writes down what it hears. */
export class TestClient implements AsyncDisposable {
  readonly client: DeltaXdsClient;
  readonly updates: DeltaUpdate[] = [];
  readonly states: ClientState[] = [];
  /** Type → name → version that is held. */
  readonly held: Map<string, Map<string, string>>;
  /** Called before an update is taken; may reject it by throwing. */
  onUpdate: (update: DeltaUpdate) => Promise<void> | void = () => undefined;

  constructor(options: Options, held = new Map<string, Map<string, string>>()) {
    this.held = held;
    this.client = new DeltaXdsClient({
      credentials: credentials.createInsecure(),
      node: { id: "test~n1", metadata: { NODE_NAME: "n1" } },
      initialResourceVersions: (typeUrl) => Object.fromEntries(this.heldOf(typeUrl)),
      onUpdate: async (update) => {
        await this.onUpdate(update);
        this.take(update);
      },
      onState: (state) => this.states.push(state),
      backoff: new Backoff(5, 50),
      ...options,
    });
  }

  static started(options: Options): TestClient {
    const made = new TestClient(options);
    made.client.start();
    return made;
  }

  /** Starts it, with updates that take until `finish` is settled. */
  startSlow(): { readonly finish: PromiseWithResolvers<void>; readonly calls: () => number } {
    const finish = Promise.withResolvers<void>();
    let calls = 0;
    this.onUpdate = () => {
      calls += 1;
      return finish.promise;
    };
    this.client.start();
    return { finish, calls: () => calls };
  }

  heldOf(typeUrl: string): Map<string, string> {
    const held = this.held.get(typeUrl) ?? new Map<string, string>();
    this.held.set(typeUrl, held);
    return held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }

  private take(update: DeltaUpdate): void {
    this.updates.push(update);
    const held = this.heldOf(update.typeUrl);
    for (const { name, version } of update.added) held.set(name, version);
    for (const name of update.removed) held.delete(name);
  }
}
