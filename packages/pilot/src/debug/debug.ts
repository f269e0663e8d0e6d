import type { OnDemandAnswer } from "@keelson/xds";
import type { Identity } from "../auth/identity.ts";
import type { DebugSettings } from "../settings/discovery-settings.ts";
import { type DebugAccess, debugAccess } from "./access.ts";
import { DebugRefusal, debugResources, debugTypeUrls } from "./ads.ts";
import { DebugPages } from "./debug-pages.ts";
import type { DebugState } from "./debug-state.ts";

export interface DebugOptions {
  readonly state: DebugState;
  readonly settings: DebugSettings;
  /** Who this control plane is, for istioctl. */
  readonly identifier: string;
}

/** What can be looked at of a control plane: pages below /debug, and the same over xDS for istioctl. */
export class Debug {
  readonly pages: DebugPages;
  readonly state: DebugState;
  readonly settings: DebugSettings;
  private readonly identifier: string;

  constructor({ state, settings, identifier }: DebugOptions) {
    this.pages = new DebugPages(settings);
    this.state = state;
    this.settings = settings;
    this.identifier = identifier;
  }

  /** @param page its name without "/debug/" */
  access(identity: Identity, page: string): DebugAccess {
    return debugAccess(identity, this.pages.find(page), this.settings, this.rootNamespace);
  }

  /**
   * What a request over xDS gets.
   * @param caller undefined if nobody vouches for it
   * @returns undefined for a type that is none of istioctl's
   */
  answer(
    typeUrl: string,
    names: readonly string[],
    caller: Identity | undefined,
  ): OnDemandAnswer | undefined {
    if (!Object.values<string>(debugTypeUrls).includes(typeUrl)) return undefined;
    const { pages, state, settings, rootNamespace } = this;
    try {
      const found = debugResources(typeUrl, names, { pages, state, settings, rootNamespace, caller });
      return {
        resources: found.map(({ name, any }) => ({
          name,
          version: "",
          typeUrl: any.typeUrl,
          body: any.value,
        })),
        // As in istiod: only who asks for all proxies tells control planes apart.
        ...(typeUrl === debugTypeUrls.syncz ? { controlPlaneIdentifier: this.identifier } : {}),
      };
    } catch (error) {
      if (error instanceof DebugRefusal) return { code: error.code, reason: error.message };
      throw error;
    }
  }

  private get rootNamespace(): string {
    return this.state.pipeline?.model.mesh.rootNamespace ?? "istio-system";
  }
}
