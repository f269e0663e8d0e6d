import fc from "fast-check";
import { expect, test } from "vitest";
import { goUrl } from "./go-url.ts";

test.each([
  ["/v1/registration/a|b", "/v1/registration/a%7Cb"],
  ["/v1/registration/a%7Cb", "/v1/registration/a%7Cb"],
  ["/v1/registration/a%7cb", "/v1/registration/a%7cb"],
  ["/v1/registration/*.a|b=c;d", "/v1/registration/%2A.a%7Cb=c;d"],
  ["/v1/registration/*.a%7Cb", "/v1/registration/*.a%7Cb"],
  ["/v1/routes/80/a~b", "/v1/routes/80/a~b"],
  ["/v1/x y", "/v1/x%20y"],
  ["/v1/é", "/v1/%C3%A9"],
  ["/v1/a?b|c?d", "/v1/a?b|c?d"],
  ["/v1/a?", "/v1/a"],
])("%s is %s for Go", (url, text) => {
  expect(goUrl(url)).toBe(text);
});

test("it means the same path, and is written once only", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const url = `/v1/${encodeURIComponent(text)}|`;
      const written = goUrl(url);
      expect(decodeURIComponent(written)).toBe(decodeURIComponent(url));
      expect(goUrl(written)).toBe(written);
    }),
  );
});
