/** What the doctor says: one sentence for each thing that was looked at, and the command that mends it. */

export const FINDING_IDS = [
  "config",
  "card",
  "driver",
  "card_driver",
  "device_nodes",
  "permission",
  "tone_zone",
  "channel",
  "holder",
  "echo_canceller",
  "page_size",
  "realtime",
  "port_rest",
  "port_websocket",
  "speech",
  "self_test_line",
  "self_test_audio",
  "self_test_loop",
  "self_test_signal",
  "self_test_voltage",
  "self_test_ring",
] as const;
export type FindingId = (typeof FINDING_IDS)[number];

/** skipped: could not be looked at, or needs not be; the title says why. */
export type FindingStatus = "ok" | "warning" | "error" | "skipped";

export interface Finding {
  /** Stable: what was looked at. `channel` and `holder` come once for each channel. */
  id: FindingId;
  status: FindingStatus;
  channel: number | null;
  /** One sentence without its full stop. */
  title: string;
  /** Whole sentences, or empty. */
  detail: string;
  /** What the owner types, or writes into the named file. Null where nothing is wrong or no command helps. */
  fix: string | null;
}

type Rest = Partial<Pick<Finding, "channel" | "detail" | "fix">>;

const finding =
  (status: FindingStatus) =>
  (id: FindingId, title: string, rest: Rest = {}): Finding => ({
    id,
    status,
    channel: rest.channel ?? null,
    title,
    detail: rest.detail ?? "",
    fix: rest.fix ?? null,
  });

export const ok = finding("ok");
export const warning = finding("warning");
export const error = finding("error");
export const skipped = finding("skipped");
