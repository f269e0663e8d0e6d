export * from "./address.ts";
export * from "./config-object.ts";
export * from "./debug-api.ts";
export { type KindDescription, type KnownObject, kinds } from "./kinds/index.ts";
export { Memo } from "./memo.ts";
export * from "./model.ts";
export { type BuiltModel, ModelBuilder } from "./model-builder.ts";
export { type ParsedObject, parseObject } from "./parse-object.ts";
export { suggest } from "./suggest.ts";
