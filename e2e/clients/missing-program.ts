import { command } from "../world/command.ts";

/** Why what needs these programs cannot run here; nothing if it can. @param from where they may be had */
export async function missingPrograms(
  from: string,
  ...programs: readonly string[]
): Promise<string | undefined> {
  for (const program of programs) {
    const found = await command("sh", ["-c", `command -v ${program}`]).catch(() => "");
    if (found === "") return `the program ${program} is not here (${from})`;
  }
  return undefined;
}
