/** "ENOENT", "EPERM": the code of a system's or of the kernel's error; undefined for anything else. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
