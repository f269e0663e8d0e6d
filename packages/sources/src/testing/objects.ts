import type { KnownObject, Problem } from "@keelson/model";
import { formatLocation } from "@keelson/model";

/** A pod of five lines, which a list of labels may follow. */
export const podText = (name: string, version = "v1"): string => `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  labels: {version: ${version}}
`;

export const ruleText = (name: string, precedence = 1): string => `apiVersion: config.istio.io/v1alpha2
kind: RouteRule
metadata:
  name: ${name}
spec:
  destination:
    name: reviews
  precedence: ${precedence}
`;

export const namesOf = ({ objects }: { objects: readonly KnownObject[] }): string[] =>
  objects.map(({ metadata }) => metadata.name);

/** "a.yaml:3:1 what is wrong", the file's name without its folder. */
export const textsOf = ({ problems }: { problems: readonly Problem[] }): string[] =>
  problems.map(({ location, message }) => `${formatLocation(location).replace(/^.*\//, "")} ${message}`);
