/** Labels of one sample. */
export type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: bigint;
  /** Of a histogram: "_bucket", "_sum" or "_count". */
  readonly suffix?: string;
}

/**
 * Writes counters that somebody else keeps as Prometheus reads them (its text format, 0.0.4). Libraries that do so want to
 * count themselves. Samples of one name and the same labels are added up: a scrape with a sample twice is refused as a whole.
 */
export class Exposition {
  private readonly families: string[] = [];

  add({ name, type, help }: Family, samples: Iterable<Sample>): void {
    const sums = new Map<string, bigint>();
    for (const { labels, value, suffix = "" } of samples) {
      const key = `${name}${suffix}${labelText(labels)}`;
      sums.set(key, (sums.get(key) ?? 0n) + value);
    }
    if (sums.size === 0) return;
    const lines = Array.from(sums, ([key, value]) => `${key} ${value}`);
    this.families.push([`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n"));
  }

  text(): string {
    return this.families.join("");
  }
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
