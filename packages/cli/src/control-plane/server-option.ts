import { InvalidArgumentError, Option } from "commander";

const defaultServer = "http://127.0.0.1:8080";

export const serverOption = (): Option =>
  new Option("--server <url>", "the control plane's HTTP address (its --httpAddr)")
    .argParser(parseServer)
    .default(defaultServer);

/**
 * "http://127.0.0.1:8080", also from "127.0.0.1:8080"; without a slash at its end.
 * @throws InvalidArgumentError saying what would be right
 */
export function parseServer(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (
    url === null ||
    !["http:", "https:"].includes(url.protocol) ||
    url.pathname !== "/" ||
    url.search !== ""
  ) {
    throw new InvalidArgumentError(`Expected a URL such as ${defaultServer}.`);
  }
  return url.origin;
}
