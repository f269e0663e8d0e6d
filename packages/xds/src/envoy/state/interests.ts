import type { SharedState } from "./shared-state.ts";

/** Who wants to know when endpoints of a service change. Does not keep anyone alive. */
export class Interests {
  private readonly byHostname = new Map<string, Set<WeakRef<SharedState>>>();
  private readonly known = new WeakMap<SharedState, Registration>();

  /** Replaces what the state was interested in so far. */
  set(state: SharedState, hostnames: Iterable<string>): void {
    const reference = this.known.get(state)?.reference ?? new WeakRef(state);
    const now = new Set(hostnames);
    const before = this.known.get(state)?.hostnames ?? new Set();
    for (const hostname of before) {
      if (!now.has(hostname)) this.byHostname.get(hostname)?.delete(reference);
    }
    for (const hostname of now) {
      const states = this.byHostname.get(hostname) ?? new Set();
      this.byHostname.set(hostname, states.add(reference));
    }
    this.known.set(state, { reference, hostnames: now });
  }

  /** @param setName name of an endpoint set that changed. */
  notify(setName: string): void {
    const hostname = setName.slice(setName.lastIndexOf("|") + 1);
    const states = this.byHostname.get(hostname) ?? new Set();
    for (const reference of states) {
      const state = reference.deref();
      if (state === undefined) states.delete(reference);
      else state.noteChange(setName);
    }
  }
}

interface Registration {
  readonly reference: WeakRef<SharedState>;
  readonly hostnames: ReadonlySet<string>;
}
