import type { Identity } from "../auth/identity.ts";
import type { DebugSettings } from "../settings/discovery-settings.ts";
import type { Page } from "./page.ts";

/** Whether a caller may see a page, and whose proxies it may see there; no namespace: everybody's. */
export type DebugAccess =
  | { readonly allowed: true; readonly namespace: string | undefined }
  | { readonly allowed: false };

/**
 * Callers of the root namespace, and of namespaces that are named, see everything; others what their own namespace's
 * proxies should hold.
 */
export function debugAccess(
  { namespace }: Identity,
  page: Pick<Page, "forAllNamespaces"> | undefined,
  { byNamespace, allowedNamespaces }: Pick<DebugSettings, "byNamespace" | "allowedNamespaces">,
  rootNamespace: string,
): DebugAccess {
  if (!byNamespace || namespace === rootNamespace || allowedNamespaces.includes(namespace)) {
    return { allowed: true, namespace: undefined };
  }
  return page?.forAllNamespaces === true ? { allowed: true, namespace } : { allowed: false };
}
