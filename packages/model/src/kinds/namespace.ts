import { z } from "zod";

/** Kubernetes core/v1 Namespace, as far as it is read: its labels hold for what is in it. */
export const namespace = z.object({});

export type Namespace = z.output<typeof namespace>;
