/** The voice bots of all lines, and which lines are hotlines to one. */
import { version } from "../../package.json";
import type { Config } from "../config/schema";
import { hotlineRequest } from "../config/streams";
import { StreamBook, type StreamBookOptions } from "../streams/stream_book";
import { planStream } from "../streams/stream_request";

/** Which lines are hotlines, and to where. */
export function hotlines({ hotline }: Config): StreamBookOptions["hotlines"] {
  return hotline.map((each) => {
    const checked = planStream(hotlineRequest(each), null);
    if ("faults" in checked) throw new Error("a hotline is checked when it is read");
    return { ...checked.planned, line: each.line, onAnswer: each.on_answer };
  });
}

export function openBots(
  { stream }: Config,
  wired: Pick<StreamBookOptions, "exchange" | "hotlines" | "tell" | "log">,
): StreamBook {
  return new StreamBook({
    ...wired,
    // Loaded when the first is dialled: the start without TLS and name resolution is faster.
    connect: async (options, events) => (await import("../streams/bot_socket")).connectBot(options, events),
    newStreamId: () => Bun.randomUUIDv7(),
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
    policy: { allowPrivate: stream.allow_private_addresses, allowLinkLocal: stream.allow_link_local_addresses },
    connectTimeoutMs: stream.connect_timeout_seconds * 1000,
    pingMs: stream.ping_seconds * 1000,
    twilioAccountSid: stream.twilio_account_sid,
    twilioAuthToken: stream.twilio_auth_token,
    userAgent: `dahdi-phone-api/${version}`,
  });
}
