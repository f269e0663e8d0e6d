import { fieldText } from "../header-fields.ts";
import type { ResponseHead } from "../message.ts";

/** A head as its bytes, in latin1. @throws Error for a rule's field that would make one answer of two */
export const responseText = ({ status, reason, rawHeaders }: ResponseHead): string =>
  `HTTP/1.1 ${status} ${reason}\r\n${fieldText(rawHeaders)}\r\n`;
