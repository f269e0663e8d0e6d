export interface PemBlock {
  /** "CERTIFICATE", "RSA PRIVATE KEY", … */
  readonly label: string;
  readonly der: Buffer;
}

const begin = "-----BEGIN ";
const dashes = "-----";

/**
 * The blocks of a PEM text, in their order; text around them is passed over. Takes time in proportion to the text.
 * @throws Error saying which block is damaged; never with any of its content, which may be a secret.
 */
export function parsePem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let position = text.indexOf(begin);
  while (position !== -1) {
    const which = `PEM block ${blocks.length + 1}`;
    const labelEnd = text.indexOf(dashes, position + begin.length);
    if (labelEnd === -1) throw new Error(`${which} has no end of its first line`);
    const label = text.slice(position + begin.length, labelEnd);
    if (!/^[A-Z0-9 ]{1,40}$/.test(label)) throw new Error(`${which} has a first line that is not PEM's`);
    const end = `-----END ${label}${dashes}`;
    const bodyEnd = text.indexOf(end, labelEnd);
    if (bodyEnd === -1) throw new Error(`${which} (${label}) has no "${end}"`);
    blocks.push({ label, der: decode(text.slice(labelEnd + dashes.length, bodyEnd), `${which} (${label})`) });
    position = text.indexOf(begin, bodyEnd + end.length);
  }
  return blocks;
}

function decode(body: string, which: string): Buffer {
  const base64 = body.replaceAll(/[\r\n\t ]/g, "");
  if (base64.length === 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    throw new Error(`${which} is not base64`);
  }
  return Buffer.from(base64, "base64");
}

/** One block, with lines of 64 characters and a newline at its end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `${begin}${label}${dashes}\n${lines.join("\n")}\n-----END ${label}${dashes}\n`;
}
