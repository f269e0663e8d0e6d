// Values of headers are bytes (RFC 9110, 5.5), which Node has as characters up to \xff; rules are text, meant as UTF-8.

const isAscii = (text: string): boolean => Buffer.byteLength(text, "utf8") === text.length;

/** A rule's text as it stands in a header. */
export const asField = (text: string): string =>
  isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");

/** A header's value as text. */
export const asText = (field: string): string =>
  isAscii(field) ? field : Buffer.from(field, "latin1").toString("utf8");
