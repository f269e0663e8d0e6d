export * from "./resource.ts";
export * from "./type-urls.ts";
