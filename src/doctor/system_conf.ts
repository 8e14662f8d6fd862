/** /etc/dahdi/system.conf, as far as it says what a channel is. */
import type { System } from "./system";

export const SYSTEM_CONF = "/etc/dahdi/system.conf";

export interface ConfRow {
  /** The row as it stands, without its comment. */
  text: string;
  key: string;
  channels: number[];
}

/** Rows KEY=CHANNELS, such as fxoks=1-4,7 and echocanceller=mg2,1-4. */
export function confRows(system: System): ConfRow[] {
  const rows: ConfRow[] = [];
  for (const row of system.readText(SYSTEM_CONF)?.split("\n") ?? []) {
    const text = row.replace(/[#;].*/, "").trim();
    const [, key, value] = /^(\w+)\s*=\s*(.+)$/.exec(text) ?? [];
    if (!key || !value) continue;
    const channels = value.split(",").flatMap((part) => {
      const [, from, to = from] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
      if (from === undefined || to === undefined) return [];
      const count = Math.min(Number(to) - Number(from) + 1, MOST_CHANNELS);
      return Array.from({ length: Math.max(count, 0) }, (_, i) => Number(from) + i);
    });
    rows.push({ text, key: key.toLowerCase(), channels });
  }
  return rows;
}

const MOST_CHANNELS = 1024; /* DAHDI_MAX_CHANNELS */

const SIGNALLINGS = /^(fx[os](ks|ls|gs)|e&m|bchan|dchan|clear|cas|indclear|nethdlc|unused)$/;

/** The row that sets this channel's signalling. */
export const signallingRow = (system: System, channel: number): ConfRow | null =>
  confRows(system).find(({ key, channels }) => SIGNALLINGS.test(key) && channels.includes(channel)) ?? null;

export const APPLY = "sudo dahdi_cfg -vv";
export const addRow = (row: string): string => `echo '${row}' | sudo tee -a ${SYSTEM_CONF} && ${APPLY}`;
/** Changes the row's key, for all the channels that it names. */
export const changeKey = ({ text, key }: ConfRow, to: string): string => {
  const rest = text.slice(key.length);
  const escaped = (part: string): string => part.replace(/[.*[\]^$/\\]/g, "\\$&");
  return `sudo sed -i 's/^${escaped(text)}/${to}${escaped(rest)}/' ${SYSTEM_CONF} && ${APPLY}`;
};
