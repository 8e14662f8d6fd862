/** Everything that a bug report needs, in one file, without what is nobody's business. */
import { PublishedEvent, timestamp } from "../../events/published";
import { statusAnswer } from "../answers";
import type { Call, Endpoint } from "../endpoint";
import { withoutDigits, withoutUrls } from "../masking";
import { uptimeS } from "./server";

const MOST_EVENTS = 1000;

const README = `DAHDI Phone API: diagnostics bundle

about.json        version, machine, kernel
config.json       the running configuration; secrets and what follows a URL's host are ***
lines.json        state, voltage and counters of each line, as GET /diagnostics
doctor.json       what "dahdi-phone-api doctor" says, as seen by the running service
events.jsonl      the newest events; pressed digits are x: they may be a PIN
flight.jsonl      the flight recorder: what the card told and what was asked, without sound; digits, callers and the
                  patterns of digits are x (dahdi-phone-api replay FILE)
log.jsonl         the newest lines of the log; pressed digits are x, URLs end at their host
metrics.txt       as GET /metrics
machine/          what the kernel says of DAHDI

No sound, no token, no recording and no caller's number is in it. Look before you send it.
`;

function recentEvents({ dependencies: { events } }: Call): string {
  const { bus } = events;
  const lines: string[] = [];
  for (let id = Math.max(bus.oldestId, bus.lastId - MOST_EVENTS + 1); id <= bus.lastId; id++) {
    const event = bus.at(id);
    if (event instanceof PublishedEvent) lines.push(withoutDigits(event.text({ time: "z", stamp: true })));
  }
  return `${lines.join("\n")}\n`;
}

const FOR_A_BUG_REPORT = { reason: "bundle", sound: false, masked: true };

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export async function diagnosticsBundle(call: Call): Promise<Uint8Array<ArrayBuffer>> {
  const { strToU8, zipSync } = await import("fflate"); // its tables are not for every start
  const { config, exchange, flight, machine, metrics, recentLog, version } = call.dependencies;
  const { about, doctor, files } = await machine();
  const texts: Record<string, string> = {
    "README.txt": README,
    "about.json": json({
      version,
      ...about,
      now: timestamp(Date.now()),
      uptime_s: uptimeS(),
      event_log: call.dependencies.eventLogStatus(),
    }),
    "config.json": withoutUrls(json(config.shown())),
    "lines.json": json(
      exchange.lines.map((line) => {
        const { last_dtmf: _, dtmf_history: __, ...status } = statusAnswer(exchange.status(line));
        return { ...status, diagnostics: exchange.diagnostics(line) };
      }),
    ),
    "doctor.json": doctor,
    "events.jsonl": recentEvents(call),
    ...(flight ? { "flight.jsonl": [...flight.dump(FOR_A_BUG_REPORT)].join("") } : {}),
    "log.jsonl": recentLog()
      .map((line) => withoutUrls(withoutDigits(line)))
      .join(""),
    "metrics.txt": await metrics.text(),
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`machine${path}`, text])),
  };
  const entries = Object.entries(texts).map(([path, text]) => [path, strToU8(text)] as const);
  return zipSync(Object.fromEntries(entries));
}

export const BUNDLE_ENDPOINTS: readonly Endpoint[] = [
  {
    method: "GET",
    path: "/diagnostics/bundle",
    scope: "server",
    access: "admin",
    tag: "Server",
    summary: "One file for a bug report",
    description:
      "A zip of the configuration (secrets masked), what the doctor says, counters, the newest events and log lines " +
      "(pressed digits masked), and what the kernel says of DAHDI. Its README.txt tells what is in it.",
    answer: { mediaType: "application/zip" },
    problems: [],
    handle: async (call) => {
      const name = `dahdi-phone-api-${timestamp(Date.now()).replaceAll(/[:.]/g, "-")}.zip`;
      return new Response(await diagnosticsBundle(call), {
        headers: {
          "content-type": "application/zip",
          "content-disposition": `attachment; filename="${name}"`,
          "cache-control": "no-store",
        },
      });
    },
  },
];
