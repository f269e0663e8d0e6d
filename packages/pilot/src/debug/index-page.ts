import type { DebugPages } from "./debug-pages.ts";

/** What /debug shows to people: every page, with a link to it. */
export function indexPage(pages: DebugPages, more: readonly string[]): string {
  const rows = [
    ...pages.entries.map(({ name, help }) => ({ path: `/debug/${name}`, help })),
    ...more.map((path) => ({ path, help: "Keelson's own" })),
  ].map(
    ({ path, help }) =>
      `<tr><td><a href="${escape(path)}">${escape(path)}</a></td><td>${escape(help)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Control plane: debug pages</title></head>
<body>
<p>Add <b>?pretty</b> to a page's address to have its JSON indented.</p>
<table>
<tr><th>Page</th><th>What it shows</th></tr>
${rows.join("\n")}
</table>
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? "");
