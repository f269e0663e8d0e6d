export * from "./answers.ts";
export * from "./arbitrary.ts";
