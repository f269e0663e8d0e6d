import type { OutlierDetection } from "@keelson/protos/traffic-policy";
import { grpcStatusKey, httpStatusOfGrpc } from "../grpc-status.ts";
import { headerOf } from "../header-changes.ts";
import type { Outcome } from "../types.ts";
import type { Host } from "./host.ts";

/** Envoy's, where a rule says nothing. */
const defaults = { consecutive: 5, intervalMs: 10_000, ejectionMs: 30_000, longestMs: 300_000, percent: 10 };

/** Answers of gateways, and what stands for them where there is no answer. */
const gatewayStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/**
 * Takes hosts out that fail, for a while, as Envoy's outlier detection does with what our xDS sets: so many errors in a
 * row eject, each time for longer; not more than a share of all hosts; success rates are not looked at.
 */
export class Outliers {
  private readonly rule: OutlierDetection;
  private readonly intervalMs: number;
  private readonly ejectionMs: number;
  private readonly maxPercent: number;
  private sweptAt: number | undefined;

  constructor(rule: OutlierDetection) {
    this.rule = rule;
    this.intervalMs = Number(rule.intervalMs) || defaults.intervalMs;
    this.ejectionMs = Number(rule.baseEjectionTimeMs) || defaults.ejectionMs;
    this.maxPercent = rule.maxEjectionPercent || defaults.percent;
  }

  /**
   * Once each interval: who was ejected long enough is back.
   * @returns whether any is
   */
  sweep(hosts: readonly Host[], now: number): boolean {
    this.sweptAt ??= now;
    if (now - this.sweptAt < this.intervalMs) return false;
    // Intervals in which nobody asked count, too.
    const intervals = Math.floor((now - this.sweptAt) / this.intervalMs);
    this.sweptAt += intervals * this.intervalMs;
    let changed = false;
    for (const host of hosts) {
      if (host.ejectedAt === undefined) host.ejections = Math.max(0, host.ejections - intervals);
      else if (now - host.ejectedAt >= this.ejectionOf(host)) {
        host.ejectedAt = undefined;
        changed = true;
      }
    }
    return changed;
  }

  /** @returns whether the host is ejected by this */
  note(host: Host, outcome: Outcome, hosts: readonly Host[], now: number): boolean {
    if (outcome.kind === "overflow" || outcome.kind === "abandoned") return false;
    if (outcome.kind === "answer") host.localErrors = 0;
    else if (this.rule.splitExternalLocalOriginErrors) {
      host.localErrors++;
      const limit = this.rule.consecutiveLocalOriginFailures || defaults.consecutive;
      return host.localErrors >= limit && this.eject(host, hosts, now);
    }
    const status = statusOf(outcome);
    host.serverErrors = status >= 500 ? host.serverErrors + 1 : 0;
    host.gatewayErrors = gatewayStatuses.has(status) ? host.gatewayErrors + 1 : 0;
    const { consecutiveGatewayErrors = 0, consecutive5xxErrors = defaults.consecutive } = this.rule;
    const reached = (limit: number, errors: number): boolean => limit > 0 && errors >= limit;
    const isOutlier =
      reached(consecutiveGatewayErrors, host.gatewayErrors) ||
      reached(consecutive5xxErrors, host.serverErrors);
    return isOutlier && this.eject(host, hosts, now);
  }

  /** Whether so few are left that it is better to ask all. */
  isPanic(healthy: number, all: number): boolean {
    return healthy * 100 < this.rule.minHealthPercent * all;
  }

  private eject(host: Host, hosts: readonly Host[], now: number): boolean {
    // Of one that is gone nothing is left to eject.
    if (host.ejectedAt !== undefined || !hosts.includes(host)) return false;
    const ejected = hosts.filter(({ ejectedAt }) => ejectedAt !== undefined).length;
    if ((100 * ejected) / hosts.length >= this.maxPercent) return false;
    host.ejectedAt = now;
    if (this.ejectionOf(host) < this.longestMs) host.ejections++;
    host.serverErrors = 0;
    host.gatewayErrors = 0;
    host.localErrors = 0;
    return true;
  }

  private get longestMs(): number {
    return Math.max(defaults.longestMs, this.ejectionMs);
  }

  private ejectionOf({ ejections }: Host): number {
    return Math.min(this.ejectionMs * ejections, this.longestMs);
  }
}

/** What an outcome counts as: gRPC's status says it by another number, no answer is one of a gateway. */
function statusOf(outcome: Outcome): number {
  if (outcome.kind !== "answer") return outcome.kind === "timeout" ? 504 : 503;
  const grpcStatus = headerOf(outcome.rawHeaders, grpcStatusKey);
  return grpcStatus === undefined ? outcome.status : httpStatusOfGrpc(Number(grpcStatus));
}
