/** Characters that stay as they are. */
const plain = /^[!$&'()*+,\-./0-9:;=@A-Z[\]_a-z~]+$/;
const dotSegment = "/.";

/** RFC 3986, 2.3: written as they are, also where they came escaped. */
const unreserved = /^[A-Za-z0-9\-._~]$/;
const escapedByte = /^%[0-9a-fA-F]{2}/;

/**
 * A path (without its query) as rules look at it and endpoints get it: dot segments are gone (RFC 3986, 5.2.4), escapes
 * of unreserved characters are undone, backslashes are slashes. That is what Envoy's `normalize_path` does, which Istio
 * sets for all callers (meshConfig.pathNormalization BASE). "%2F" stays; double slashes stay.
 * @returns undefined for what must be answered 400: control characters, spaces, what is no ASCII, and an escaped NUL
 */
export function normalPath(path: string): string | undefined {
  if (plain.test(path) && !path.includes(dotSegment)) return path;
  const unescaped = withPlainEscapes(path);
  return unescaped === undefined ? undefined : withoutDots(unescaped);
}

function withPlainEscapes(path: string): string | undefined {
  let result = "";
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at);
    if (character <= " " || character > "~") return undefined;
    if (character === "\\") result += "/";
    else if (character === "%" && escapedByte.test(path.slice(at, at + 3))) {
      const code = Number.parseInt(path.slice(at + 1, at + 3), 16);
      if (code === 0) return undefined;
      const meant = String.fromCharCode(code);
      result += unreserved.test(meant) ? meant : path.slice(at, at + 3);
      at += 2;
    } else result += plain.test(character) || character === "%" ? character : escaped(character);
  }
  return result;
}

const escaped = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;

function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split("/").slice(1);
  for (const [index, segment] of segments.entries()) {
    const isDot = segment === "." || segment === "..";
    if (!isDot) kept.push(segment);
    else {
      if (segment === "..") kept.pop();
      // What is left is a folder: "/a/." is "/a/".
      if (index === segments.length - 1) kept.push("");
    }
  }
  return `/${kept.join("/")}`;
}
