/** What the rig's tests measured, as a table: behaviour × guest and card. */
import { appendFileSync } from "node:fs";

export interface Measured {
  guest: string;
  card: string;
  behaviour: string;
  value: number | string;
  unit: string;
}

/** Called by tests: one measured figure. */
export function measured(behaviour: string, value: number | string, unit = ""): void {
  const path = process.env.DAHDI_RIG_MEASURED;
  const { guest, card } = JSON.parse(process.env.DAHDI_RIG ?? "{}") as Measured;
  if (path) appendFileSync(path, `${JSON.stringify({ guest, card, behaviour, value, unit })}\n`);
}

export function reportTable(
  rows: readonly Measured[],
  versions: readonly { guest: string; what: string; kernel: string; driver: string }[],
): string {
  const columns = [...new Set(rows.map(({ guest, card }) => `${guest}/${card}`))];
  const behaviours = [...new Set(rows.map(({ behaviour }) => behaviour))];
  const cell = (behaviour: string, column: string): string => {
    const row = rows.findLast((row) => row.behaviour === behaviour && `${row.guest}/${row.card}` === column);
    if (!row) return "–";
    const value = typeof row.value === "number" ? Number(row.value.toFixed(2)) : row.value;
    return `${value}${row.unit ? ` ${row.unit}` : ""}`;
  };
  return [
    "# The kernel rig's report",
    "",
    ...versions.map(({ guest, what, kernel, driver }) => `- **${guest}**: ${what}; ${kernel}, dahdi ${driver}`),
    "",
    `| behaviour | ${columns.join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    ...behaviours.map(
      (behaviour) => `| ${behaviour} | ${columns.map((column) => cell(behaviour, column)).join(" | ")} |`,
    ),
    "",
  ].join("\n");
}
