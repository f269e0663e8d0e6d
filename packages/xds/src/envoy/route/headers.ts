import {
  HeaderValueOption_HeaderAppendAction as AppendAction,
  type HeaderValueOptionSchema,
} from "@envoyproxy/xds-protos/envoy/config/core/v3/base_pb.js";
import type { HeaderOperations } from "@keelson/protos/route";
import type { Init } from "../wire.ts";

/** Host and pseudo headers are not set like others: an authority is a rewrite, the rest cannot be changed. */
const isInternal = (name: string): boolean => name.startsWith(":") || name.toLowerCase() === "host";
const isAuthority = (name: string): boolean => [":authority", "host"].includes(name.toLowerCase());

type Option = Init<typeof HeaderValueOptionSchema>;

const options = (values: Readonly<Record<string, string>>, appendAction: AppendAction): Option[] =>
  Object.entries(values)
    .filter(([key]) => !isInternal(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ header: { key, value }, appendAction }));

export interface HeaderChanges {
  readonly toAdd: Option[];
  readonly toRemove: string[];
}

export function headerChanges(operations: HeaderOperations | undefined): HeaderChanges {
  if (operations === undefined) return { toAdd: [], toRemove: [] };
  return {
    toAdd: [
      ...options(operations.set, AppendAction.OVERWRITE_IF_EXISTS_OR_ADD),
      ...options(operations.add, AppendAction.APPEND_IF_EXISTS_OR_ADD),
    ],
    toRemove: operations.remove.filter((name) => !isInternal(name)),
  };
}

/** Setting the Host header means rewriting the authority; what is set wins over what is added. */
export function authorityOf(operations: HeaderOperations | undefined): string {
  const find = (values: Readonly<Record<string, string>>): string | undefined =>
    Object.entries(values).find(([key]) => isAuthority(key))?.[1];
  return (operations && (find(operations.set) ?? find(operations.add))) ?? "";
}

/** The fields that routes and weighted clusters have alike. */
export function headerFields(
  requests: readonly (HeaderOperations | undefined)[],
  responses: readonly (HeaderOperations | undefined)[],
): {
  requestHeadersToAdd: Option[];
  requestHeadersToRemove: string[];
  responseHeadersToAdd: Option[];
  responseHeadersToRemove: string[];
} {
  const request = requests.map(headerChanges);
  const response = responses.map(headerChanges);
  return {
    requestHeadersToAdd: request.flatMap(({ toAdd }) => toAdd),
    requestHeadersToRemove: request.flatMap(({ toRemove }) => toRemove),
    responseHeadersToAdd: response.flatMap(({ toAdd }) => toAdd),
    responseHeadersToRemove: response.flatMap(({ toRemove }) => toRemove),
  };
}
