import type { FieldPath, Problem } from "../config-object.ts";
import { Findings, present } from "./check.ts";
import type { DestinationRuleObject } from "./index.ts";
import type { WrittenPortPolicy, WrittenTrafficPolicy } from "./traffic-policy.ts";

/** What istiod asks of a DestinationRule beyond its schema (istio/istio, pkg/config/validation). */
export function checkDestinationRule(object: DestinationRuleObject): Problem[] {
  const findings = new Findings(object);
  const { spec } = object.body;
  if (spec.trafficPolicy !== undefined) checkPolicy(spec.trafficPolicy, ["trafficPolicy"], findings);
  spec.subsets.forEach(({ name, trafficPolicy }, i) => {
    if (spec.subsets.findIndex((other) => other.name === name) < i) {
      findings.error(["subsets", i, "name"], `there is a subset "${name}" already`);
    }
    if (trafficPolicy !== undefined) checkPolicy(trafficPolicy, ["subsets", i, "trafficPolicy"], findings);
  });
  const elsewhere = spec.exportTo.filter((to) => to !== "." && to !== object.metadata.namespace);
  if (spec.workloadSelector !== undefined && elsewhere.length > 0) {
    findings.error(["exportTo"], "a rule with a workloadSelector is for its own namespace only");
  }
  return findings.problems;
}

function checkPolicy(policy: WrittenTrafficPolicy, path: FieldPath, findings: Findings): void {
  checkParts(policy, path, findings);
  const { portLevelSettings: ports } = policy;
  if (Object.keys(policy).length === 1 && ports.length === 0) findings.error(path, "says nothing");
  ports.forEach((port, i) => {
    const at = [...path, "portLevelSettings", i];
    checkParts(port, at, findings);
    if (Object.keys(port).length === 1) findings.error(at, "says nothing beside its port");
  });
  if (policy.tunnel !== undefined && policy.proxyProtocol !== undefined) {
    findings.error([...path, "tunnel"], "stands beside proxyProtocol; use one or the other");
  }
}

type Parts = Pick<WrittenPortPolicy, "loadBalancer" | "connectionPool" | "outlierDetection" | "tls">;

function checkParts(
  { loadBalancer, connectionPool, outlierDetection, tls }: Parts,
  path: FieldPath,
  findings: Findings,
) {
  const error = (more: FieldPath, text: string): void => findings.error([...path, ...more], text);
  if (loadBalancer !== undefined) checkLoadBalancer(loadBalancer, [...path, "loadBalancer"], findings);
  if (connectionPool !== undefined && present(connectionPool, "tcp", "http").length === 0) {
    error(["connectionPool"], "needs tcp or http");
  }
  const http = connectionPool?.http;
  if (http?.useClientProtocol && http.h2UpgradePolicy === "UPGRADE") {
    error(["connectionPool", "http", "useClientProtocol"], "contradicts h2UpgradePolicy UPGRADE");
  }
  const { consecutiveLocalOriginFailures = 0, splitExternalLocalOriginErrors } = outlierDetection ?? {};
  if (consecutiveLocalOriginFailures > 0 && !splitExternalLocalOriginErrors) {
    error(["outlierDetection", "consecutiveLocalOriginFailures"], "needs splitExternalLocalOriginErrors");
  }
  if (tls !== undefined) checkTls(tls, [...path, "tls"], findings);
}

function checkLoadBalancer(
  { simple, consistentHash, localityLbSetting, zoneAwareLbSetting }: NonNullable<Parts["loadBalancer"]>,
  path: FieldPath,
  findings: Findings,
): void {
  if (simple !== undefined && consistentHash !== undefined) {
    findings.error(path, "takes only one of simple and consistentHash");
  }
  if (localityLbSetting !== undefined && zoneAwareLbSetting !== undefined) {
    findings.error(path, "takes only one of localityLbSetting and zoneAwareLbSetting");
  }
  if (consistentHash === undefined) return;
  const at = [...path, "consistentHash"];
  const keys = present(
    consistentHash,
    "httpHeaderName",
    "httpCookie",
    "useSourceIp",
    "httpQueryParameterName",
  );
  if (keys.length > 1) findings.error(at, `takes only one of ${keys.join(", ")}`);
  const sizes = present(consistentHash, "ringHash", "maglev", "minimumRingSize");
  if (sizes.length > 1) findings.error(at, `takes only one of ${sizes.join(", ")}`);
  const { tableSize = 2 } = consistentHash.maglev ?? {};
  if (!isPrime(tableSize)) findings.error([...at, "maglev", "tableSize"], `${tableSize} is no prime number`);
}

/** @param number below 5,000,011 */
function isPrime(number: number): boolean {
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
  return number > 1;
}

function checkTls(tls: NonNullable<Parts["tls"]>, path: FieldPath, findings: Findings): void {
  const { mode, insecureSkipVerify, credentialName } = tls;
  if (mode !== "SIMPLE" && mode !== "MUTUAL") return;
  const files = present(tls, "clientCertificate", "privateKey", "caCertificates", "caCrl");
  if (insecureSkipVerify) {
    const verified = present(tls, "caCertificates", "subjectAltNames");
    const unused = mode === "SIMPLE" ? [...verified, ...present(tls, "credentialName")] : verified;
    for (const field of unused) findings.error([...path, field], "contradicts insecureSkipVerify");
  }
  if (credentialName) {
    for (const field of files)
      findings.error([...path, field], "stands beside credentialName; use one or the other");
    return;
  }
  for (const field of ["clientCertificate", "privateKey"]) {
    if (mode === "MUTUAL" && !files.includes(field)) {
      findings.error(path, `mode MUTUAL needs a ${field} or a credentialName`);
    }
  }
}
