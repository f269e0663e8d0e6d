export { type Compiled, Compiler } from "./compiler.ts";
export type * from "./explanation.ts";
