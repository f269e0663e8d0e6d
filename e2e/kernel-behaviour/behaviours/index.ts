import type { Behaviour } from "../behaviour.ts";
import { arrival } from "./arrival.ts";
import { death } from "./death.ts";
import { eventLoop } from "./event-loop.ts";
import { heads } from "./heads.ts";
import { opening } from "./opening.ts";
import { overtaking } from "./overtaking.ts";
import { readerSemantics } from "./reader-semantics.ts";
import { shortRedirect } from "./short-redirect.ts";
import { slowReader } from "./slow-reader.ts";
import { stickyVerdict } from "./sticky-verdict.ts";
import { upgrade } from "./upgrade.ts";

/** All of them, in the order of the README. */
export const behaviours: readonly Behaviour[] = [
  stickyVerdict,
  shortRedirect,
  eventLoop,
  slowReader,
  overtaking,
  arrival,
  readerSemantics,
  opening,
  death,
  upgrade,
  heads,
];
