import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green";

/** Gives a text a colour or a weight, or leaves it alone. */
export type Paint = (style: Style, text: string) => string;

/** For what is no terminal. */
export const plain: Paint = (_, text) => text;

/** Paints only what a terminal will show; NO_COLOR, FORCE_COLOR and TERM=dumb are respected (Node's tty.getColorDepth). */
export const paintFor =
  (stream: NodeJS.WriteStream): Paint =>
  (style, text) =>
    styleText(style, text, { stream });
