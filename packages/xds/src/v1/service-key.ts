import { createHash } from "node:crypto";
import type { Age } from "./age.ts";

export type Labels = Readonly<Record<string, string>>;

/** What an endpoint is asked for by. */
export interface ServiceKey {
  readonly hostname: string;
  /** Never empty; a port without a name is "". */
  readonly portNames: readonly string[];
  /** Endpoints whose labels include one of these; empty: all. */
  readonly labels: readonly Labels[];
}

/** "hostname|port|k=v,k2=v2"; without labels, "hostname|port", and "hostname" alone if the port has no name. */
export function serviceKey(hostname: string, portName: string, labels: Labels = {}): string {
  const text = labelsText(labels);
  if (text !== "") return `${hostname}|${portName}|${text}`;
  return portName === "" ? hostname : `${hostname}|${portName}`;
}

const labelsText = (labels: Labels): string =>
  Object.entries(labels)
    .map(([key, value]) => (value === "" ? key : `${key}=${value}`))
    .sort()
    .join(",");

/** The inverse, which also reads several port names ("a,b") and several sets of labels ("k=v;k=w"). */
export function parseServiceKey(text: string): ServiceKey {
  const [hostname = "", ports = "", labels = ""] = text.split("|");
  return {
    hostname,
    portNames: ports.split(","),
    labels: labels === "" ? [] : labels.split(";").map(parseLabels),
  };
}

const parseLabels = (text: string): Labels =>
  Object.fromEntries(
    text.split(",").map((pair) => {
      const [key = "", value = ""] = pair.split("=");
      return [key, value];
    }),
  );

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex");

/** Envoy's limit for names of clusters in the days of 0.7. */
const maxNameLength = 189;

/** Pilot 0.2 names clusters by hashes, since Envoy's names had to be short. */
export function outboundName(key: string, age: Age): string {
  if (age === "0.2") return `out.${sha1(key)}`;
  return cutName(`out.${key}`);
}

/** Name of the egress proxy's cluster for an external name. */
export const egressProxyName = (key: string): string => sha1(key);

/** A name that is too long ends in its hash. */
function cutName(name: string): string {
  if (name.length <= maxNameLength) return name;
  const hash = sha1(name);
  return `${name.slice(0, maxNameLength - hash.length)}${hash}`;
}
