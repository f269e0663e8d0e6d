import { setImmediate } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import type { AskedRoutes, AutomatonFit, Compiled, Explaining, ServiceExplanation } from "@keelson/compiler";
import { RouteTableSchema } from "@keelson/protos/route";
import { AutomatonThread } from "./automaton-thread.ts";

/** How long it works until others have their turn. */
const turnMs = 10;
/** Routes that are encoded in one go: some milliseconds. */
const routesAtOnce = 250;

export interface ExplainerOptions {
  readonly turnMs?: number;
  readonly mostThreadMebibytes?: number;
}

/** Makes explanations beside all else that the program does: in pieces, and automata, which may take seconds, in a thread. */
export class Explainer {
  private readonly turnMs: number;
  private readonly thread: AutomatonThread;
  /** By `AskedRoutes.key`. */
  private readonly fits = new WeakMap<object, Promise<AutomatonFit>>();

  constructor(options: ExplainerOptions = {}) {
    this.turnMs = options.turnMs ?? turnMs;
    this.thread = new AutomatonThread(options.mostThreadMebibytes);
  }

  /** Of those services that are there. Rejects if an automaton could not be made, which says nothing of the rules. */
  async explain(compiled: Compiled, hostnames: readonly string[]): Promise<ServiceExplanation[]> {
    const nextTurn = this.turns();
    const explanations: ServiceExplanation[] = [];
    for (const hostname of hostnames) {
      const explaining = compiled.explaining(hostname);
      if (explaining !== undefined) explanations.push(await this.finish(explaining, nextTurn));
    }
    return explanations;
  }

  async close(): Promise<void> {
    await this.thread.close();
  }

  private async finish(explaining: Explaining, nextTurn: () => Promise<void>): Promise<ServiceExplanation> {
    let step = explaining.next();
    while (step.done !== true) {
      const fit = step.value && (await this.fitOf(step.value, nextTurn));
      await nextTurn();
      step = explaining.next(fit);
    }
    return step.value;
  }

  private fitOf(asked: AskedRoutes, nextTurn: () => Promise<void>): Promise<AutomatonFit> {
    const { key } = asked;
    const known = this.fits.get(key);
    if (known !== undefined) return known;
    const fit = this.makeFit(asked, nextTurn);
    this.fits.set(key, fit);
    // The next one who asks may have more luck.
    fit.catch(() => this.fits.delete(key));
    return fit;
  }

  private async makeFit({ routes }: AskedRoutes, nextTurn: () => Promise<void>): Promise<AutomatonFit> {
    const tables: Uint8Array<ArrayBuffer>[] = [];
    for (let first = 0; first < routes.length; first += routesAtOnce) {
      const http = routes.slice(first, first + routesAtOnce);
      tables.push(toBinary(RouteTableSchema, create(RouteTableSchema, { http })));
      await nextTurn();
    }
    return await this.thread.fitOf(tables);
  }

  /** @returns what is awaited between two pieces of work */
  private turns(): () => Promise<void> {
    let since = performance.now();
    return async () => {
      if (performance.now() - since < this.turnMs) return;
      await setImmediate();
      since = performance.now();
    };
  }
}
