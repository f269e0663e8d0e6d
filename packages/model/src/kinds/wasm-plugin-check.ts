import type { Problem } from "../config-object.ts";
import { Findings } from "./check.ts";
import type { WasmPluginObject } from "./index.ts";

/** A plugin that would be used where it should not, or not as it should, is left out. */
export function checkWasmPlugin(object: WasmPluginObject): Problem[] {
  const findings = new Findings(object);
  const { spec } = object.body;
  const leftOut = (path: (string | number)[], what: string): void =>
    findings.error(path, `${what} is not supported yet; the plugin is left out`);
  if (spec.targetRef !== undefined) leftOut(["targetRef"], "a target");
  if (spec.targetRefs.length > 0) leftOut(["targetRefs"], "a target");
  if (spec.type === "NETWORK") leftOut(["type"], "type NETWORK");
  spec.match.forEach(({ ports }, i) => {
    if (ports.length > 0) leftOut(["match", i, "ports"], "a choice of ports");
  });
  if (URL.parse(spec.url.includes("://") ? spec.url : `oci://${spec.url}`) === null)
    findings.error(["url"], `"${spec.url}" is not a URL`);
  if (spec.failStrategy !== "FAIL_CLOSE")
    findings.warning(
      ["failStrategy"],
      `${spec.failStrategy} has no effect: a plugin that fails refuses requests`,
    );
  return findings.problems;
}
