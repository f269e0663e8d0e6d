import { ApiError, type ApiServer } from "@keelson/sources";
import { alwaysReject } from "../admission/validate.ts";

export interface ValidationProbeOptions {
  readonly api: ApiServer;
  /** Of the control plane. */
  readonly namespace: string;
  readonly revision: string;
  /** Called once, when the API server is first known to ask us. */
  readonly onReached: () => void;
}

const idleMs = 30_000;

/** Finds out whether the API server asks us about rules: by one that we refuse, and that nobody would ever keep. */
export class ValidationProbe {
  private readonly options: ValidationProbeOptions;
  private isReached = false;

  constructor(options: ValidationProbeOptions) {
    this.options = options;
  }

  /** Tries it, unless it is known already. */
  async reaches(signal: AbortSignal): Promise<boolean> {
    const { api, namespace, revision, onReached } = this.options;
    if (this.isReached) return true;
    const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/gateways?dryRun=All`;
    const metadata = {
      name: "invalid-gateway",
      namespace,
      labels: { "istio.io/rev": revision },
      annotations: { [alwaysReject]: "true" },
    };
    const gateway = { apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata, spec: {} };
    try {
      await api.send("POST", path, gateway, { signal, idleMs });
    } catch (error) {
      this.isReached = saysThatItWasAsked(error);
      if (this.isReached) onReached();
    }
    return this.isReached;
  }
}

/** Also where there is nothing to ask about, or another webhook takes no part in dry runs: nothing more is to be found out. */
const saysThatItWasAsked = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.status === 404 || /denied the request|does not support dry run/.test(error.message));
