import type { Answer } from "./roles.ts";

interface Review {
  readonly reviewer: string;
  readonly text: string;
  readonly rating?: { readonly stars: number; readonly color: string };
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text: unknown): string =>
  String(text).replace(/[&<>"]/g, (character) => escapes[character] ?? "");

function reviewHtml({ reviewer, text, rating }: Review): string {
  const stars =
    rating === undefined
      ? ""
      : ` <span style="color: ${escape(rating.color)}">${"★".repeat(rating.stars)}</span>`;
  return `<blockquote>${escape(text)} <cite>${escape(reviewer)}</cite>${stars}</blockquote>`;
}

/** The product page for people: the book, its reviews, and which pods answered. */
export function productPage(answer: Answer): string {
  const { title, details, reviews } = answer as Answer & { title: string; details: Answer; reviews: Answer };
  const facts = Object.entries(details)
    .filter(([name]) => name !== "pod" && name !== "version")
    .map(([name, value]) => `<li>${escape(name)}: ${escape(value)}</li>`);
  const texts = (reviews["reviews"] as readonly Review[]).map(reviewHtml);
  const pods = [answer, details, reviews, reviews["ratings"] as Answer | undefined].flatMap((one) =>
    one === undefined ? [] : [escape(one.pod)],
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escape(title)}</title>
<h1>${escape(title)}</h1>
<ul>${facts.join("")}</ul>
${texts.join("\n")}
<p>Answered by ${pods.join(", ")}.</p>
</html>
`;
}
