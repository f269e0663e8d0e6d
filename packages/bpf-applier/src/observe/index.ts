export { addObserveOptions, type ObserveFlags, wantedOf } from "./options.ts";
export { showLines } from "./show-lines.ts";
