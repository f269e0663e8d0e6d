import type { AdsRequest } from "./ads-request.ts";
import { checkBytes, checkLimit, type ServerLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** @throws Refusal, if the request names no type, or anything in it that would be kept is too long. */
export function checkRequest(
  { typeUrl, names, initialVersions }: AdsRequest,
  { namesPerType, nameBytes }: ServerLimits,
): void {
  if (typeUrl === "") throw Refusal.malformed("a request names no type_url");
  checkBytes("a type_url", [typeUrl], nameBytes);
  checkBytes(`a name of ${typeUrl}`, names, nameBytes);
  const versions = Object.entries(initialVersions);
  checkLimit(`initial_resource_versions of ${typeUrl}`, versions.length, namesPerType);
  checkBytes(`initial_resource_versions of ${typeUrl}`, versions.flat(), nameBytes);
}
