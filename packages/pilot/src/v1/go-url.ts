/** Characters that Go takes for a valid encoding of a path as they are (net/url, validEncoded). */
const validPath = /^[-A-Za-z0-9_.~!$&'()*+,;=:@[\]%/]*$/;

/** What Go does not escape when it writes a path anew. */
const unescaped = /[-A-Za-z0-9_.~$&+,/:;=@]/;

/**
 * A request's URL as Go's URL.String() writes it: the key of Pilot's cache, which shows in /cache_stats. A path that is
 * not encoded as it should be is encoded anew ("|" becomes "%7C").
 * @throws URIError if the path's escapes are no UTF-8
 */
export function goUrl(url: string): string {
  const [path, query] = splitUrl(url);
  const written = validPath.test(path) ? path : escapePath(decodeURIComponent(path));
  return query === "" ? written : `${written}?${query}`;
}

/** Path and query, neither with the "?" between them. */
export function splitUrl(url: string): [path: string, query: string] {
  const at = url.indexOf("?");
  return at === -1 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
}

const escapePath = (path: string): string =>
  Array.from(Buffer.from(path), (byte) => {
    const character = String.fromCharCode(byte);
    return unescaped.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
