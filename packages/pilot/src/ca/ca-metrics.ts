import { Counter, Gauge, type Registry } from "prom-client";
import type { CertificateAuthority } from "./certificate-authority.ts";
import { certificates } from "./signer.ts";

/** The CA's metrics, under the names that Pilot's have. */
export class CaMetrics {
  readonly requests: Counter;
  readonly authenticationFailures: Counter;
  readonly malformedRequests: Counter;
  readonly signingFailures: Counter<"error">;
  readonly successes: Counter;
  private readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
    const registers = [registry];
    this.requests = new Counter({
      name: "citadel_server_csr_count",
      help: "Certificate requests received.",
      registers,
    });
    this.authenticationFailures = new Counter({
      name: "citadel_server_authentication_failure_count",
      help: "Certificate requests of callers that nobody vouches for.",
      registers,
    });
    this.malformedRequests = new Counter({
      name: "citadel_server_csr_parsing_err_count",
      help: "Certificate requests that are malformed.",
      registers,
    });
    this.signingFailures = new Counter({
      name: "citadel_server_csr_sign_err_count",
      help: "Certificate requests that were not signed, by reason.",
      labelNames: ["error"],
      registers,
    });
    this.successes = new Counter({
      name: "citadel_server_success_cert_issuance_count",
      help: "Certificates signed for workloads.",
      registers,
    });
  }

  /** Shows when the roots and the signing certificate end. */
  watch(authority: CertificateAuthority): void {
    this.expiry("citadel_server_root_cert_expiry", "the first root", () =>
      endOf(certificates({ name: "roots", pem: authority.signer.roots })),
    );
    this.expiry("citadel_server_cert_chain_expiry", "the signing certificate", () =>
      authority.signer.certificate.notAfter.getTime(),
    );
  }

  private expiry(name: string, what: string, endMs: () => number): void {
    const timestamp: Gauge = new Gauge({
      name: `${name}_timestamp`,
      help: `When ${what} ends, in seconds since the epoch.`,
      registers: [],
      collect: () => timestamp.set(endMs() / 1000),
    });
    const seconds: Gauge = new Gauge({
      name: `${name}_seconds`,
      help: `Time until ${what} ends, in seconds; negative if it has ended.`,
      registers: [],
      collect: () => seconds.set((endMs() - Date.now()) / 1000),
    });
    this.registry.registerMetric(timestamp);
    this.registry.registerMetric(seconds);
  }
}

const endOf = (roots: ReturnType<typeof certificates>): number =>
  roots[0]?.validToDate.getTime() ?? Number.NaN;
