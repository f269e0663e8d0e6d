import { prepareForIstio } from "../../peers/istio-objects.ts";
import { startIstiod } from "../../peers/istiod.ts";
import { startKubeApiserver } from "../../peers/kube-apiserver.ts";
import type { ConfigFolder } from "../../world/config-folder.ts";
import type { Subject } from "./subject.ts";

/** A real istiod that reads the same folder of files. It wants an API server all the same, which has no objects. */
export async function istiod(config: ConfigFolder): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const apiserver = await startKubeApiserver();
  stack.defer(() => apiserver.stop());
  await prepareForIstio(apiserver);
  const plane = await startIstiod({ apiserver, mode: "plain", args: [`--configDir=${config.path}`] });
  stack.defer(() => plane.stop());
  const owned = stack.move();
  return {
    address: `127.0.0.1:${plane.ports.grpc}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
