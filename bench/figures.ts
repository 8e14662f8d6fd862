/** What was measured: figures beside their bars, and whether all were met. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** "<= 20", ">= 1", "0"; omitted: for information. */
  bar?: string;
}

export class Figures {
  readonly all: Figure[] = [];

  add(name: string, value: number, unit: string, bar?: string): void {
    const figure = { name, value: Math.round(value * 100) / 100, unit, ...(bar ? { bar } : {}) };
    this.all.push(figure);
    console.log(`  ${met(figure) ? " " : "✗"} ${name}: ${figure.value} ${unit}${bar ? ` (bar ${bar})` : ""}`);
  }

  /** For a terminal: the table, and an exit that says whether every bar was met. */
  end(): never {
    console.log(`\n${"".padEnd(76)}${"value".padStart(12)}  ${"".padEnd(14)}bar`);
    for (const figure of this.all) {
      const value = figure.value.toLocaleString("en").padStart(12);
      const bar = `${figure.bar ?? ""}${met(figure) ? "" : "  MISSED"}`;
      console.log(`${figure.name.padEnd(76)}${value}  ${figure.unit.padEnd(14)}${bar}`.trimEnd());
    }
    process.exit(this.missed.length > 0 ? 1 : 0);
  }

  get missed(): Figure[] {
    return this.all.filter((figure) => !met(figure));
  }

  table(): string {
    const rows = this.all.map(
      (figure) =>
        `| ${figure.name} | ${figure.value.toLocaleString("en")} ${figure.unit} | ${figure.bar ?? ""} | ${figure.bar ? (met(figure) ? "met" : "**missed**") : ""} |`,
    );
    return ["| | measured | bar | |", "|---|---|---|---|", ...rows].join("\n");
  }
}

function met({ value, bar }: Figure): boolean {
  if (bar === undefined) return true;
  const [, sign = "", bound] = /^(<=|>=)?\s*([\d.]+)$/.exec(bar) ?? [];
  if (bound === undefined) throw new Error(`no bar: ${bar}`);
  if (sign === "<=") return value <= Number(bound);
  return sign === ">=" ? value >= Number(bound) : value === Number(bound);
}

export const percentile = (values: readonly number[], part: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
};

/** What the collector gives back is no growth: the least of the last third beside the least of the first. */
export const grownMb = (lookedAtMb: readonly number[]): number => {
  const third = Math.ceil(lookedAtMb.length / 3);
  return Math.min(...lookedAtMb.slice(-third)) - Math.min(...lookedAtMb.slice(0, third));
};
