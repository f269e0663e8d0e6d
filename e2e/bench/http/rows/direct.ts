import { targetPort } from "../ground.ts";
import type { Row } from "./row.ts";

/** The same two programs without a network: nothing between two processes can be cheaper. */
export const unixRow: Row = {
  name: "AF_UNIX",
  what: "the same caller and server over a Unix socket: the floor",
  start: ({ plainLoad, near }) => Promise.resolve({ load: plainLoad, target: { path: near.unixPath } }),
};

/** What all others are held against. */
export const directRow: Row = {
  name: "no proxy",
  what: "the caller dials the server's own address; no program of Keelson's is on the way",
  start: ({ plainLoad, far }) =>
    Promise.resolve({ load: plainLoad, target: { address: far.pod.ipv4, port: targetPort } }),
};
