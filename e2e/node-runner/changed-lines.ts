/** Lines that differ between two texts of as many lines, as in a unified diff: "-image: a", "+image: b". @throws Error if one has more lines */
function changedLines(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  if (old.length !== now.length) throw new Error(`${old.length} lines became ${now.length}`);
  return old.flatMap((line, i) => (line === now[i] ? [] : [`-${line.trim()}`, `+${now[i]?.trim()}`]));
}

/** The diff of a swap: each line once. @throws Error unless all that changed are names of images */
export function onlyTheImage(before: string, after: string): string {
  const changed = changedLines(before, after);
  const others = changed.filter((line) => !/^[-+](- )?"?image"?: /.test(line));
  if (changed.length === 0 || others.length > 0)
    throw new Error(`not the image alone has changed: ${others.join(" ")}`);
  return [...new Set(changed)].join(" ");
}
