/** Programs of ours, run inside the guest by the executable, which is a Bun when it is told to be. */
import type { Json } from "../support/client";
import { eventually } from "../support/server";
import { GUEST_REST_PORT } from "./guest";
import { agent, type RigLine } from "./rig_line";
import { bytesOf, samplesOf } from "./voices";

interface GuestProgram {
  /** The JSON lines that it printed so far. */
  told(): Promise<Json[]>;
  tells(fields: Json): Promise<Json>;
}

export async function inGuest(name: string, at: string, parameters: string): Promise<GuestProgram> {
  await agent.put(`/tmp/${name}`, await Bun.file(`${import.meta.dir}/${name}`).text());
  await agent.sh(
    `BUN_BE_BUN=1 dahdi-phone-api /tmp/${name} ${parameters} </dev/null >${at}.told 2>${at}.complaints &`,
  );
  const told = async (): Promise<Json[]> =>
    (await agent.text(`${at}.told`).catch(() => ""))
      .split("\n")
      .slice(0, -1)
      .map((row) => JSON.parse(row) as Json);
  const tells = async (fields: Json): Promise<Json> => {
    const wanted = (row: Json): boolean => Object.entries(fields).every(([field, value]) => row[field] === value);
    const rows = await eventually(told, (rows) => rows.some(wanted));
    return rows.find(wanted) as Json;
  };
  return { told, tells };
}

interface GuestClient extends GuestProgram {
  heard(): Promise<Int16Array>;
}

/** A client of live audio inside the guest: it says the samples, or what it hears. Served when this settles. */
export async function guestClient(line: RigLine, said: Int16Array | null, query = ""): Promise<GuestClient> {
  const at = `/tmp/live-${line.line}`;
  const url = `ws://127.0.0.1:${GUEST_REST_PORT}/lines/${line.line}/audio?when=off_hook${query}`;
  if (said) await agent.put(`${at}.said`, bytesOf(said));
  const program = await inGuest("live_client.ts", at, `'${url}' ${at}.heard ${said ? `${at}.said` : ""}`);
  await program.tells({ type: "stats" });
  return {
    ...program,
    heard: async () => {
      await program.tells({ type: "closed" });
      return samplesOf(await agent.get(`${at}.heard`));
    },
  };
}
