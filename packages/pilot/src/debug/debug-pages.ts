import { json, noSuchPage, type Page, type PageAnswer, type PageRequest } from "./page.ts";
import { configPages } from "./pages/config.ts";
import { adminPages, connectionPages } from "./pages/connections.ts";
import { dumpPages } from "./pages/dumps.ts";
import { registryPages } from "./pages/registry.ts";

/** Pages that are listed a second time, with what may be asked of them. */
const queries: readonly { readonly name: string; readonly help: string }[] = [
  { name: "adsz?push=true", help: "Sends what is newest to all that lack any of it" },
  { name: "cachez?sizes=true", help: "Their sizes, by type" },
  { name: "cachez?clear=true", help: "Makes them anew" },
];

/** The pages below /debug, by their names. */
export class DebugPages {
  private readonly pages: ReadonlyMap<string, Page>;

  /** @param admin whether pages that change something for others are among them */
  constructor({ admin }: { readonly admin: boolean }) {
    const all = [
      ...connectionPages,
      ...registryPages,
      ...configPages,
      ...dumpPages,
      ...(admin ? adminPages : []),
    ];
    this.pages = new Map([...all, this.list].map((page) => [page.name, page]));
  }

  private readonly list: Page = {
    name: "list",
    help: "The names of all pages",
    answer: (request) => {
      const names = this.entries.map(({ name }) => name).filter((name) => name !== "list");
      return json(names, request);
    },
  };

  /** Sorted as bytes are. */
  get entries(): readonly { readonly name: string; readonly help: string }[] {
    return [...this.pages.values(), ...queries].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @param name without "/debug/" */
  find(name: string): Page | undefined {
    return this.pages.get(name);
  }

  /** @param name without "/debug/" and without a query */
  answer(name: string, request: PageRequest): PageAnswer {
    return this.pages.get(name)?.answer(request) ?? noSuchPage;
  }
}
