import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gatewayApi, istio, istioRelease } from "../versions.ts";
import { downloadModule, type GoBuild, goBuild } from "./go-tool.ts";
import type { Recipe } from "./recipe.ts";

/** As istio's own release build sets them (its Makefile.core.mk and common/scripts/gobuild.sh). */
const tags = {
  // With the fast protobuf encoders, without which istiod would be slower than the one that people run.
  standard: ["vtprotobuf", "disable_pgv"],
  agent: ["agent", "disable_pgv", "grpcnotrace", "retrynotrace"],
} as const;

const variables = {
  "istio.io/istio/pkg/version.buildVersion": istioRelease.version,
  "istio.io/istio/pkg/version.buildGitRevision": istioRelease.revision,
  "istio.io/istio/pkg/version.buildStatus": "Clean",
  "istio.io/istio/pkg/version.buildTag": istioRelease.version,
};

function istioRecipe(
  what: string,
  packagePath: string,
  kind: keyof typeof tags,
  files: FileToKeep[],
): Recipe {
  const program = packagePath.slice(packagePath.lastIndexOf("/") + 1);
  const build: GoBuild = {
    package: `${istio.module}/${packagePath}@${istio.version}`,
    tags: tags[kind],
    variables,
  };
  return {
    what,
    version: istioRelease.version,
    program,
    inputs: () => [istio, gatewayApi, build, files],
    async install(folder, say) {
      const sources = { istio: await downloadModule(istio), gatewayApi: await downloadModule(gatewayApi) };
      for (const { from, path, to } of files) {
        await mkdir(join(folder, to, ".."), { recursive: true });
        await cp(join(sources[from], path), join(folder, to), { recursive: true });
      }
      await goBuild(build, folder, say);
    },
  };
}

/** A file or folder of a module that tests need beside the program. */
interface FileToKeep {
  readonly from: "istio" | "gatewayApi";
  readonly path: string;
  /** Below the peer's folder. */
  readonly to: string;
}

/** The peers that are built from istio's module, all of one version. */
export const istioRecipes = {
  istiod: istioRecipe("istiod, with its charts and CRDs", "pilot/cmd/pilot-discovery", "standard", [
    { from: "istio", path: "manifests/charts", to: "charts" },
    { from: "gatewayApi", path: "config/crd", to: "gateway-api" },
  ]),
  istioctl: istioRecipe("istioctl", "istioctl/cmd/istioctl", "standard", []),
  "pilot-agent": istioRecipe("pilot-agent, with its Envoy bootstrap", "pilot/cmd/pilot-agent", "agent", [
    { from: "istio", path: "tools/packaging/common/envoy_bootstrap.json", to: "envoy_bootstrap.json" },
  ]),
} as const;
