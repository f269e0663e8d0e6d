export { type Certificate, certificateIn, type Unusable } from "./certificate.ts";
export { type ByNamespace, type Credentials, noCredentials } from "./credentials.ts";
export { type Roots, rootsIn } from "./roots.ts";
