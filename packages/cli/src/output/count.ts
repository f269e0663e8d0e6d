/** "1 file", "3 files", "5,000 files". */
export const count = (number: number, one: string): string =>
  `${number.toLocaleString("en-US")} ${one}${number === 1 ? "" : "s"}`;

/** "1 error, 2 warnings", with nothing that is 0; "no problems". */
export function countProblems(errors: number, warnings: number): string {
  const parts = [
    ...(errors === 0 ? [] : [count(errors, "error")]),
    ...(warnings === 0 ? [] : [count(warnings, "warning")]),
  ];
  return parts.length === 0 ? "no problems" : parts.join(", ");
}
