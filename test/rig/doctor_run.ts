/** The doctor inside a guest, and what it found. */
import type { Agent } from "./guest";

export const CONFIG = "/tmp/doctor.yml";

export interface Finding {
  id: string;
  status: string;
  channel: number | null;
  title: string;
  detail: string;
  fix: string | null;
}

interface Examined {
  code: number;
  findings: Finding[];
  /** "channel 2: error" of all that is neither right nor left out. */
  faults: string[];
  finding(id: string, channel?: number): Finding;
}

export async function doctor(at: Agent, words = "", user?: string): Promise<Examined> {
  const command = `dahdi-phone-api doctor --json --config=${CONFIG} ${words}`;
  const { code, output } = await at.try(user ? `su ${user} -c '${command}'` : command);
  let findings: Finding[];
  try {
    findings = (JSON.parse(output) as { findings: Finding[] }).findings;
  } catch {
    throw new Error(`the doctor ended with ${code} and said: ${output}`);
  }
  const wrong = findings.filter(({ status }) => status === "error" || status === "warning");
  return {
    code,
    findings,
    faults: wrong.map(({ id, channel, status }) => `${id}${channel === null ? "" : ` ${channel}`}: ${status}`),
    finding: (id, channel) => {
      const found = findings.find((one) => one.id === id && (channel === undefined || one.channel === channel));
      if (!found) throw new Error(`no finding ${id}: ${output}`);
      return found;
    },
  };
}
