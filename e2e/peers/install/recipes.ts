import { envoyRecipe } from "./envoy.ts";
import { grpcGoRecipe, grpcioRecipe } from "./grpc-clients.ts";
import { helmRecipe } from "./helm.ts";
import { istioRecipes } from "./istio.ts";
import { kubernetesRecipes } from "./kubernetes.ts";

export type PeerName = keyof typeof recipes;

/** Every peer that set-up brings, those that take long last. */
export const recipes = {
  envoy: envoyRecipe,
  grpcio: grpcioRecipe,
  "grpc-go": grpcGoRecipe,
  ...istioRecipes,
  ...kubernetesRecipes,
  helm: helmRecipe,
} as const;

export function isPeerName(name: string): name is PeerName {
  return Object.hasOwn(recipes, name);
}

export const peerNames: readonly PeerName[] = Object.keys(recipes).filter(isPeerName);
