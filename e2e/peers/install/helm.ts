import { helm, kubernetes } from "../versions.ts";
import { downloadModule, goBuild } from "./go-tool.ts";
import type { Recipe } from "./recipe.ts";

const [major = "", minor = ""] = kubernetes.version.slice(1).split(".");

/** As helm's Makefile sets them: the last two are the Kubernetes that `helm template` assumes without a cluster. */
const variables = {
  "helm.sh/helm/v3/internal/version.version": helm.version,
  "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": major,
  "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": minor,
};

export const helmRecipe: Recipe = {
  what: "helm",
  version: helm.version,
  program: "helm",
  inputs: () => [helm, variables],
  async install(folder, say) {
    await downloadModule(helm);
    await goBuild({ package: `${helm.module}/cmd/helm@${helm.version}`, variables }, folder, say);
  },
};
