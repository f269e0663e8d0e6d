import { z } from "zod";

/** Kubernetes core/v1 Node, as far as it is read: its labels say where it stands. */
export const node = z.object({});

export type Node = z.output<typeof node>;
