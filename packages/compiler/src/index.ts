export { type Compiled, Compiler } from "./compiler.ts";
export type { AskedRoutes, AutomatonFit, Explaining } from "./explaining.ts";
export type * from "./explanation.ts";
