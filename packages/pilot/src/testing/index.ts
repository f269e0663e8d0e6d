export * from "./test-certificates.ts";
export * from "./test-issuer.ts";
