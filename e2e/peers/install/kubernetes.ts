import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { exec } from "../../kernels/exec.ts";
import { etcdVersion, kubernetes, oldestGo } from "../versions.ts";
import { downloadModule, goBuild } from "./go-tool.ts";
import type { Recipe } from "./recipe.ts";

/** "1", "37" and "2" of the pinned version. */
const [major = "", minor = "", patch = ""] = kubernetes.version.slice(1).split(".");

/** kubectl and helm refuse a server that does not say its version. */
const variables = {
  "k8s.io/component-base/version.gitVersion": kubernetes.version,
  "k8s.io/component-base/version.gitMajor": major,
  "k8s.io/component-base/version.gitMinor": minor,
};

/**
 * Kubernetes cannot be built as a module of its own: its go.mod takes the k8s.io/* libraries from folders beside it.
 * So each of its programs is built in a module of ours that takes them from where they are published, as v0.MINOR.PATCH.
 */
function kubernetesRecipe(what: string, version: string, packagePath: string, program: string): Recipe {
  return {
    what,
    version,
    program,
    inputs: () => [kubernetes, packagePath, variables],
    async install(folder, say) {
      const module = join(folder, "module");
      await mkdir(module);
      const source = await downloadModule(kubernetes);
      await writeFile(join(module, "go.mod"), await moduleFile(join(source, "go.mod"), packagePath));
      await goBuild(
        { package: packagePath, moduleFolder: module, completeModule: true, variables },
        folder,
        say,
      );
    },
  };
}

/** What `go mod edit -json` prints, as far as it is needed. */
const goModFile = z.object({
  Require: z.array(z.object({ Path: z.string(), Version: z.string() })),
  Replace: z.array(z.object({ Old: z.object({ Path: z.string() }) })),
});

async function moduleFile(kubernetesModFile: string, packagePath: string): Promise<string> {
  const { Require, Replace } = goModFile.parse(
    JSON.parse(await exec("go", ["mod", "edit", "-json", kubernetesModFile])),
  );
  const etcd = Require.find(({ Path }) => Path === "go.etcd.io/etcd/server/v3")?.Version;
  if (etcd !== etcdVersion)
    throw new Error(`${kubernetesModFile} has etcd ${etcd}, but versions.ts says ${etcdVersion}`);
  return [
    "module keelson-e2e/kubernetes",
    `go ${oldestGo}`,
    `require ${kubernetes.module} ${kubernetes.version}`,
    `tool ${packagePath}`,
    ...Replace.map(({ Old }) => `replace ${Old.Path} => ${Old.Path} v0.${minor}.${patch}`),
    "",
  ].join("\n");
}

/** The peers that are built from Kubernetes' module. */
export const kubernetesRecipes = {
  "kube-apiserver": kubernetesRecipe(
    "the Kubernetes API server",
    kubernetes.version,
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-apiserver",
  ),
  kubectl: kubernetesRecipe("kubectl", kubernetes.version, "k8s.io/kubernetes/cmd/kubectl", "kubectl"),
  etcd: kubernetesRecipe("etcd, for the API server", etcdVersion, "go.etcd.io/etcd/server/v3", "server"),
} as const;
