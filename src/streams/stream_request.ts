/** From what a client or the configuration names to a bot that can be dialled, or every field at fault. */
import { literalAddress } from "../network/address";
import { type AddressPolicy, refusedAddress } from "./bot_address";
import type { DialectName } from "./dialect";

export interface StreamRequest {
  url: string;
  /** Omitted: what the URL's scheme says. */
  dialect?: string;
  /** Told to a twilio bot in `start`. */
  customParameters?: Readonly<Record<string, string>>;
}

export interface PlannedStream {
  url: URL;
  dialect: DialectName;
  customParameters: Readonly<Record<string, string>>;
}

export interface RequestFault {
  field: "url" | "dialect" | "custom_parameters";
  message: string;
}

const DIALECT_OF_SCHEME: Record<string, DialectName> = {
  "ws:": "twilio",
  "wss:": "twilio",
  "tcp:": "audiosocket",
  "audiosocket:": "audiosocket",
};
const MAX_URL_CHARACTERS = 2048;
export const MAX_PARAMETERS = 64;
/** Twilio's own bound, of a name and its value together. */
export const MAX_PARAMETER_CHARACTERS = 500;

/** The policy is for addresses in the URL; where a name leads is seen when it is dialled. null: not known here. */
export function planStream(
  { url: text, dialect, customParameters = {} }: StreamRequest,
  policy: AddressPolicy | null,
): { planned: PlannedStream } | { faults: RequestFault[] } {
  const faults: RequestFault[] = [];
  const url = text.length <= MAX_URL_CHARACTERS && URL.canParse(text) ? new URL(text) : null;
  const ofScheme = url ? DIALECT_OF_SCHEME[url.protocol] : undefined;
  const fault = (field: RequestFault["field"], message: string): void => void faults.push({ field, message });
  if (!url || !ofScheme || url.hostname === "") {
    fault("url", "must be such as ws://bot.local:8765/path, wss://…, tcp://bot.local:9092 or audiosocket://…");
  } else {
    if (url.username || url.password || url.hash) fault("url", "must have no user, password or #");
    if (ofScheme === "audiosocket") {
      if (url.port === "") fault("url", "must name a port, such as tcp://bot.local:9092");
      if (url.pathname.length > 1 || url.search) fault("url", "must have no path: TCP knows none");
      if (Object.keys(customParameters).length > 0) {
        fault("custom_parameters", "are of the dialect twilio: AudioSocket tells no more than the stream_id");
      }
    }
    const address = policy && literalAddress(url.hostname);
    const refused = address && policy && refusedAddress(address, policy);
    if (refused) fault("url", refused);
    if (dialect !== undefined && dialect !== ofScheme) {
      fault("dialect", `must be ${ofScheme} for ${url.protocol}//, or omitted`);
    }
  }
  const parameters = Object.entries(customParameters);
  const longest = Math.max(0, ...parameters.map(([name, value]) => name.length + value.length));
  if (parameters.length > MAX_PARAMETERS || longest > MAX_PARAMETER_CHARACTERS) {
    const bounds = `${MAX_PARAMETERS}, of ${MAX_PARAMETER_CHARACTERS} characters each, name and value together`;
    fault("custom_parameters", `must be no more than ${bounds}`);
  }
  if (faults.length > 0 || !url || !ofScheme) return { faults };
  return { planned: { url, dialect: ofScheme, customParameters } };
}

/** What may stand in an answer or a log: a query may hold a token. */
export const shownUrl = ({ protocol, host, pathname, search }: URL): string =>
  `${protocol}//${host}${pathname}${search === "" ? "" : "?***"}`;
