export * from "./endpoint-set-name.ts";
export * from "./grpc-method.ts";
export type * from "./policy-ir.ts";
export * from "./resource.ts";
export * from "./type-urls.ts";
