import { expect, test } from "vitest";
import { parseServer } from "./server-option.ts";

test.each([
  ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080"],
  ["127.0.0.1:8080", "http://127.0.0.1:8080"],
  ["localhost:15014", "http://localhost:15014"],
  ["[::1]:8080", "http://[::1]:8080"],
  ["https://pilot.example", "https://pilot.example"],
])("%s is %s", (text, url) => {
  expect(parseServer(text)).toBe(url);
});

test.each(["", "ftp://x", "http://", ":8080", "127.0.0.1:99999", "http://x/debug", "http://x?y"])(
  '"%s" is no server',
  (text) => {
    expect(() => parseServer(text)).toThrow("Expected a URL such as http://127.0.0.1:8080.");
  },
);
