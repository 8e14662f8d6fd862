/** The keys of voice bots: how they are reached, and the lines that are connected to one on every lift. */
import { planStream, type StreamRequest } from "../streams/stream_request";
import { flag, type Leaf, type ListOf, whole } from "./leaf";

export interface StreamConfig {
  connect_timeout_seconds: number;
  ping_seconds: number;
  allow_private_addresses: boolean;
  allow_link_local_addresses: boolean;
  twilio_account_sid: string;
  /** null: requests to bots are not signed. */
  twilio_auth_token: string | null;
}

export interface HotlineConfig {
  line: number;
  url: string;
  dialect: string | null;
  custom_parameters: Record<string, string>;
  on_answer: boolean;
}

const accountSid: Leaf = {
  value: `AC${"0".repeat(32)}`,
  check: (given) =>
    typeof given === "string" && /^AC[0-9a-f]{32}$/.test(given)
      ? { ok: given }
      : { wrong: "must be AC and 32 hexadecimal digits" },
};
const authToken: Leaf = {
  value: null,
  check: (given) =>
    given === null || (typeof given === "string" && given.length >= 16 && given.length <= 128)
      ? { ok: given }
      : { wrong: "must be a text of 16 to 128 characters" },
};
const url: Leaf = {
  value: undefined,
  check: (given) => (typeof given === "string" ? { ok: given } : { wrong: "must be a text" }),
};
const dialect: Leaf = {
  value: null,
  check: (given) =>
    given === null || given === "twilio" || given === "audiosocket"
      ? { ok: given }
      : { wrong: "must be twilio or audiosocket" },
};
const customParameters: Leaf = {
  value: {},
  check: (given) =>
    given !== null &&
    typeof given === "object" &&
    !Array.isArray(given) &&
    Object.values(given).every((value) => typeof value === "string")
      ? { ok: given }
      : { wrong: 'must be a mapping of names to texts, such as { language: "de" }' },
};

export const STREAM = {
  connect_timeout_seconds: whole(10, 1, 60),
  ping_seconds: whole(10, 1, 300),
  allow_private_addresses: flag(true),
  allow_link_local_addresses: flag(false),
  twilio_account_sid: accountSid,
  twilio_auth_token: authToken,
} as const;

export function hotlineRequest({ url, dialect, custom_parameters }: HotlineConfig): StreamRequest {
  return { url, ...(dialect === null ? {} : { dialect }), customParameters: custom_parameters };
}

export const HOTLINE: ListOf = {
  item: {
    line: { ...whole(1, 1, 1023), value: undefined },
    url,
    dialect,
    custom_parameters: customParameters,
    on_answer: flag(true),
  },
  required: ["line", "url"],
  checkItem: (item, before) => {
    const hotline = item as unknown as HotlineConfig;
    if (before.some(({ line }) => line === hotline.line)) {
      return [{ key: "line", wrong: "stands twice: a line is connected to one bot" }];
    }
    const checked = planStream(hotlineRequest(hotline), null);
    return "faults" in checked ? checked.faults.map(({ field, message }) => ({ key: field, wrong: message })) : [];
  },
};
