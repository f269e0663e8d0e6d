import { upstream } from "./upstream.ts";

/** Which pod of the four services a process is. */
export interface Identity {
  readonly role: Role;
  /** Name of the pod. */
  readonly pod: string;
  readonly version: string;
}

/** Every answer says who gives it. */
export interface Answer {
  readonly pod: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

export const port = 9080;

/** Asks a service by its name; the answer's `pod` says which of its pods was chosen. */
const ask = (service: string): Promise<Answer> => upstream(service, port);

/** What a role answers beside who it is, after asking those it depends on. */
type Content = (identity: Identity) => Promise<object>;

const productpage: Content = async () => {
  const [details, reviews] = await Promise.all([ask("details"), ask("reviews")]);
  return { title: "The Wheelwright's Almanac", details, reviews };
};

const book: Content = async () => ({
  author: "A. Spoke",
  year: 1911,
  pages: 208,
  language: "English",
  binding: "cloth",
});

const opinions = [
  { reviewer: "Ada", text: "Explains felloes to those who never asked, and makes them want to know." },
  { reviewer: "Ben", text: "The chapter on hubs alone is worth the price." },
];

const stars: Readonly<Record<string, number>> = { Ada: 5, Ben: 4 };

/** Version 1 shows no stars, version 2 black ones, version 3 red ones. */
const opinionsWithStars: Content = async ({ version }) => {
  if (version === "v1") return { reviews: opinions };
  const ratings = await ask("ratings");
  const given = (ratings["stars"] ?? {}) as typeof stars;
  const color = version === "v2" ? "black" : "red";
  const withStars = ({ reviewer, text }: (typeof opinions)[number]) => ({
    reviewer,
    text,
    rating: { stars: given[reviewer] ?? 0, color },
  });
  return { ratings, reviews: opinions.map(withStars) };
};

export const roles = {
  productpage,
  details: book,
  reviews: opinionsWithStars,
  ratings: async () => ({ stars }),
};
export type Role = keyof typeof roles;

export async function answerOf(identity: Identity): Promise<Answer> {
  const { pod, version, role } = identity;
  return { pod, version, ...(await roles[role](identity)) };
}
