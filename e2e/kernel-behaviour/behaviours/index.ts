import type { Behaviour } from "../behaviour.ts";
import { readerSemantics } from "./reader-semantics.ts";
import { shortRedirect } from "./short-redirect.ts";
import { stickyVerdict } from "./sticky-verdict.ts";

/** All of them, in the order of the README. */
export const behaviours: readonly Behaviour[] = [stickyVerdict, shortRedirect, readerSemantics];
