/** The X.509 library, which wants its polyfill loaded before it; so nobody imports it but from here. */
// oxlint-disable-next-line import/no-unassigned-import -- it changes a global object
import "reflect-metadata";

export * from "@peculiar/x509";
