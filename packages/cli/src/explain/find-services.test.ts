import { expect, test } from "vitest";
import { isNamed, unknownService } from "./find-services.ts";

const reviews = "reviews.default.svc.cluster.local";

test.each([
  ["reviews", true],
  ["reviews.default", true],
  ["reviews.default.svc", true],
  [reviews, true],
  ["review", false],
  ["reviews.def", false],
  ["default", false],
  [`${reviews}.org`, false],
])("%s names reviews.default: %s", (name, named) => {
  expect(isNamed(reviews, name)).toBe(named);
});

test.each([
  ["reviewz", "there is no service reviewz; did you mean reviews?"],
  ["reviewz.default", "there is no service reviewz.default; did you mean reviews.default?"],
  ["reviews.defualt", "there is no service reviews.defualt; there is reviews.default"],
  ["reviews.prod", "there is no service reviews.prod; there is reviews.default"],
  [
    "reviews.default.svc.cluster.locale",
    "there is no service reviews.default.svc.cluster.locale; there is reviews.default",
  ],
  ["checkout", "there is no service checkout"],
])("%s: %s", (name, message) => {
  expect(unknownService(name, [reviews, "ratings.default.svc.cluster.local"])).toMatchObject({
    message,
    exitCode: 1,
  });
});

test("without any service the reason lies elsewhere", () => {
  expect(unknownService("reviews", []).message).toBe(
    "there is no service reviews: the configuration has no services at all",
  );
});
