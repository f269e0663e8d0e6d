export * from "./builders.ts";
export { aProxy, type ProxyInit, withAgent } from "./proxies.ts";
export { type RandomIrOptions, randomIr } from "./random-ir.ts";
export { faultsOf } from "./sanity.ts";
