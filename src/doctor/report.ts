/** Findings as text for a person and as JSON for a program. */
import type { Finding, FindingStatus } from "./findings";

export interface Summary {
  ok: number;
  warnings: number;
  errors: number;
  skipped: number;
}

export function summary(findings: readonly Finding[]): Summary {
  const count = (status: FindingStatus): number => findings.filter((one) => one.status === status).length;
  return { ok: count("ok"), warnings: count("warning"), errors: count("error"), skipped: count("skipped") };
}

export const jsonReport = (version: string, findings: readonly Finding[]): string =>
  `${JSON.stringify({ version, summary: summary(findings), findings }, null, 2)}\n`;

const MARKS: Record<FindingStatus, string> = { ok: "✓", warning: "!", error: "✗", skipped: "–" };
const COLOURS: Record<FindingStatus, string> = { ok: "32", warning: "33", error: "31", skipped: "2" };
const BOLD = "1";
const LABEL_WIDTH = 18;
const TEXT_WIDTH = 78;

/** "self_test_audio" as people say it. */
const label = ({ id, channel }: Finding): string =>
  (id === "channel" || id === "holder") && channel !== null ? `${id} ${channel}` : id.replaceAll("_", " ");

export function textReport(version: string, findings: readonly Finding[], colours: boolean): string {
  const paint = (code: string, text: string): string => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const indent = " ".repeat(LABEL_WIDTH + 4);
  const rows = [`DAHDI Phone API ${version}: what the doctor found`, ""];
  for (const finding of findings) {
    const { status, title, detail, fix } = finding;
    const [first = "", ...more] = wrapped(title);
    rows.push(`${paint(COLOURS[status], MARKS[status])} ${label(finding).padEnd(LABEL_WIDTH)}  ${first}`);
    rows.push(...more.map((row) => indent + row));
    if (detail) rows.push(...wrapped(detail).map((row) => indent + row));
    // Not wrapped: it is to be copied.
    if (fix) rows.push(`${indent}type:`, `  ${paint(BOLD, fix)}`);
  }
  const { ok, warnings, errors, skipped } = summary(findings);
  const counted = `${ok} ok, ${plural(warnings, "warning")}, ${plural(errors, "error")}, ${skipped} skipped`;
  const verdict =
    errors > 0
      ? "Mend the errors from the top: later ones may follow from the first."
      : warnings > 0
        ? "It works; the warnings are worth a look."
        : "All is well.";
  return `${[...rows, "", `${counted}. ${verdict}`].join("\n")}\n`;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function wrapped(text: string): string[] {
  const rows: string[] = [];
  let row = "";
  for (const word of text.split(" ")) {
    if (row !== "" && row.length + 1 + word.length > TEXT_WIDTH) {
      rows.push(row);
      row = word;
    } else row = row === "" ? word : `${row} ${word}`;
  }
  return [...rows, row];
}
