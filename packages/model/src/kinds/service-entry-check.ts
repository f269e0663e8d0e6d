import { isIP } from "node:net";
import type { Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { ServiceEntryObject } from "./index.ts";

/** What istiod asks of a ServiceEntry beyond its schema (istio/istio, pkg/config/validation). */
export function checkServiceEntry(object: ServiceEntryObject): Problem[] {
  const findings = new Findings(object);
  const { resolution, endpoints, workloadSelector, addresses } = object.body.spec;
  if (workloadSelector !== undefined && endpoints.length > 0) {
    findings.error(["workloadSelector"], "stands beside endpoints; use one or the other");
  }
  if (resolution === "DYNAMIC_DNS") findings.error(["resolution"], "DYNAMIC_DNS is not supported yet");
  if (resolution === "NONE" && endpoints.length > 0) {
    findings.error(["endpoints"], "resolution NONE takes no endpoints; use STATIC or DNS");
  }
  if (resolution === "NONE" && workloadSelector !== undefined) {
    findings.warning(["workloadSelector"], "has no effect with resolution NONE");
  }
  const takesBlocks = resolution === "NONE" || resolution === "STATIC";
  addresses.forEach((address, i) => {
    if (address.includes("/") && !takesBlocks) {
      findings.error(["addresses", i], "CIDR blocks are for resolution NONE and STATIC only");
    }
  });
  checkPorts(object, findings);
  checkEndpoints(object, findings);
  checkNames(object, findings);
  return findings.problems;
}

function checkPorts(object: ServiceEntryObject, findings: Findings): void {
  const { ports, hosts, resolution } = object.body.spec;
  ports.forEach(({ name, number, protocol }, i) => {
    const earlier = ports.slice(0, i);
    if (earlier.some((port) => port.name === name))
      findings.error(["ports", i, "name"], `"${name}" stands twice`);
    if (earlier.some((port) => port.number === number))
      findings.error(["ports", i, "number"], `${number} stands twice`);
    const tellsHosts = /^(HTTP|GRPC|TLS)/i.test(protocol);
    if (hosts.length > 1 && resolution !== "NONE" && !tellsHosts) {
      const text = `several hosts cannot be told apart by ${protocol === "" ? "an unknown protocol" : protocol}`;
      findings.error(["ports", i, "protocol"], text);
    }
  });
}

function checkEndpoints(object: ServiceEntryObject, findings: Findings): void {
  const { endpoints, ports, resolution } = object.body.spec;
  const names = new Set(ports.map(({ name }) => name));
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1) {
    findings.error(["endpoints"], "DNS_ROUND_ROBIN takes one endpoint at most");
  }
  endpoints.forEach(({ address = "", ports: own, network }, i) => {
    const unix = address.startsWith("unix:");
    if (address === "" && network === undefined) findings.error(["endpoints", i, "address"], "is required");
    if (resolution === "STATIC" && address !== "" && !unix && isIP(address) === 0) {
      findings.error(
        ["endpoints", i, "address"],
        `"${address}" is no IP address, as resolution STATIC needs`,
      );
    }
    for (const name of Object.keys(own)) {
      if (!names.has(name)) findings.error(["endpoints", i, "ports", name], "is no port of the ServiceEntry");
    }
  });
}

function checkNames(object: ServiceEntryObject, findings: Findings): void {
  const { hosts, endpoints, workloadSelector, resolution } = object.body.spec;
  const looksUpHosts =
    resolution.startsWith("DNS") && endpoints.length === 0 && workloadSelector === undefined;
  hosts.forEach((host, i) => {
    if (looksUpHosts && host.startsWith("*")) {
      findings.error(["hosts", i], `"${host}" cannot be looked up; name endpoints, or a host without "*"`);
    }
  });
}
