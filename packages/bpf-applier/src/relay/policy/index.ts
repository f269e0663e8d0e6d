export { Balancers } from "./balancer/balancers.ts";
export { ownAnswer } from "./own-answer.ts";
export { PortRouter } from "./port-router.ts";
export { shouldRetry } from "./retries.ts";
export type * from "./types.ts";
