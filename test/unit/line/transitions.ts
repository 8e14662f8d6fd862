/** Every input in every state, rendered as the table that docs/line-transitions.md shows. */
import type { AnnouncementResult } from "../../../src/line/announcement";
import { planRing, type RingPlan } from "../../../src/line/cadence";
import type { GatherResult } from "../../../src/line/gather";
import { step } from "../../../src/line/machine";
import {
  initialState,
  type LineEffect,
  type LineInput,
  type LineSettings,
  type LineState,
  SILENT_LINE,
  stateName,
} from "../../../src/line/model";

const AT_MS = 1_000;

export function normalRing(): RingPlan {
  const planned = planRing({}, 120_000);
  if (!planned.ok) throw new Error("NORMAL must be a plan");
  return planned.plan;
}

const FAULT = { code: "card_removed", message: "The card was taken away.", fix: "Put it back." };

const HEARD = { heardMs: 0, played: "none" } as const;
const GATHERED: GatherResult = {
  ...HEARD,
  gatherId: "g",
  digits: "12",
  reason: "timeout",
  finishKey: null,
  durationMs: 5000,
};
const ANNOUNCED: AnnouncementResult = {
  ...HEARD,
  announceId: "a",
  outcome: "not_answered",
  answeredAfterMs: null,
  gather: null,
};

export const SAMPLE_INPUTS: readonly LineInput[] = [
  { type: "line_up", atMs: AT_MS, lifted: false },
  { type: "line_up", atMs: AT_MS, lifted: true },
  { type: "line_down", atMs: AT_MS, fault: FAULT },
  { type: "off_hook", atMs: AT_MS, trippedRing: false },
  { type: "off_hook", atMs: AT_MS, trippedRing: true },
  { type: "on_hook", atMs: AT_MS },
  { type: "flash", atMs: AT_MS, durationMs: 300 },
  { type: "digit_started", atMs: AT_MS },
  { type: "digit", atMs: AT_MS, digit: "5", source: "dtmf", durationMs: 100, levelDbm0: -10 },
  { type: "digit", atMs: AT_MS, digit: "5", source: "pulse", durationMs: 500, levelDbm0: null },
  { type: "voice_started", atMs: AT_MS, levelDbm0: -20 },
  { type: "voice_ended", atMs: AT_MS, levelDbm0: -60, segmentDbm0: -20 },
  { type: "progress", atMs: AT_MS, tone: "busy", active: true, startMs: 0, levelDbm0: -20 },
  { type: "voltage", atMs: AT_MS, volts: 48 },
  { type: "voltage", atMs: AT_MS, volts: 8 },
  { type: "alarm", atMs: AT_MS, names: ["red"] },
  { type: "ring_requested", atMs: AT_MS, plan: normalRing() },
  { type: "ring_accepted", atMs: AT_MS, ringId: 1 },
  { type: "ring_refused", atMs: AT_MS, ringId: 1 },
  { type: "ring_ended", atMs: AT_MS, ringId: 1, reason: "completed" },
  { type: "ring_ended", atMs: AT_MS, ringId: 1, reason: "answered" },
  { type: "stop_ring_requested", atMs: AT_MS },
  { type: "far_end_lost", atMs: AT_MS },
  { type: "settings_changed", atMs: AT_MS, settings: SILENT_LINE },
  { type: "playback_requested", atMs: AT_MS },
  { type: "playback_started", atMs: AT_MS, playbackId: "p", durationMs: 20 },
  { type: "playback_paused", atMs: AT_MS, playbackId: "p", positionMs: 10 },
  { type: "playback_resumed", atMs: AT_MS, playbackId: "p", positionMs: 10 },
  { type: "playback_ended", atMs: AT_MS, playbackId: "p", reason: "completed", heardMs: 20 },
  { type: "playback_ended", atMs: AT_MS, playbackId: "p", reason: "barged", heardMs: 20, bargedBy: "dtmf" },
  { type: "attached", atMs: AT_MS, what: "bridge" },
  { type: "detached", atMs: AT_MS, what: "bridge" },
  { type: "recording_started", atMs: AT_MS, recordingId: "r" },
  { type: "recording_ended", atMs: AT_MS, recordingId: "r", reason: "stopped", durationMs: 20, bytes: 364 },
  { type: "gather_started", atMs: AT_MS, gatherId: "g" },
  { type: "gather_ended", atMs: AT_MS, result: GATHERED },
  { type: "announcement_ended", atMs: AT_MS, result: ANNOUNCED },
  { type: "time", atMs: AT_MS },
  { type: "messages_waiting", atMs: AT_MS, count: 2 },
  { type: "messages_waiting", atMs: AT_MS, count: 0 },
  { type: "lamp_told", atMs: AT_MS, whole: true },
  { type: "lamp_told", atMs: AT_MS, whole: false },
];

/** All of it, and every deadline before AT_MS. */
export const SOUNDING_LINE: LineSettings = {
  dialTone: { timeoutMs: 100 },
  offHookTimeout: { afterMs: 500, reorderMs: 100, howlerMs: 100 },
};

/** A state by the inputs that lead to it. */
const reached = (...inputs: readonly LineInput[]): LineState => reachedBy(SILENT_LINE, inputs);
const sounding = (...inputs: readonly LineInput[]): LineState => reachedBy(SOUNDING_LINE, inputs);
const reachedBy = (settings: LineSettings, inputs: readonly LineInput[]): LineState =>
  inputs.reduce((state, input) => step(state, input).state, initialState(0, settings));

const up: LineInput = { type: "line_up", atMs: 1, lifted: false };
const reading: LineInput = { type: "voltage", atMs: 2, volts: 48 };
const ask: LineInput = { type: "ring_requested", atMs: 3, plan: normalRing() };
const accepted: LineInput = { type: "ring_accepted", atMs: 4, ringId: 1 };
const lift: LineInput = { type: "off_hook", atMs: 5, trippedRing: false };
const talk: LineInput = { type: "voice_started", atMs: 6, levelDbm0: -20 };
const key: LineInput = { type: "digit_started", atMs: 6 };
const play: LineInput = { type: "playback_started", atMs: 7, playbackId: "p", durationMs: 20 };
const gather: LineInput = { type: "gather_started", atMs: 7, gatherId: "g" };
const messages: LineInput = { type: "messages_waiting", atMs: 3, count: 1 };
const lost: LineInput = { type: "line_down", atMs: 7, fault: FAULT };

export const SAMPLE_STATES: ReadonlyMap<string, LineState> = new Map([
  ["INITIALIZING", initialState(0, SILENT_LINE)],
  ["IDLE", reached(up, reading)],
  ["IDLE, messages wait, lamp due", reached(up, reading, { ...messages, atMs: -10 })],
  ["IDLE, messages wait, lamp being told", reached(up, reading, messages, { type: "time", atMs: 1003 })],
  ["IDLE, ring asked for", reached(up, reading, ask)],
  ["RINGING", reached(up, reading, ask, accepted)],
  ["OFF_HOOK", reached(up, reading, lift)],
  ["OFF_HOOK, talking", reached(up, reading, lift, talk)],
  [
    "IN_CALL",
    reached(
      up,
      reading,
      ask,
      accepted,
      { type: "ring_ended", atMs: 5, ringId: 1, reason: "answered" },
      { ...lift, trippedRing: true },
    ),
  ],
  ["OFF_HOOK, digits are collected", sounding(up, reading, lift, gather)],
  ["OFF_HOOK, dial tone", sounding(up, reading, lift)],
  ["OFF_HOOK, messages wait", sounding(up, reading, lift, messages)],
  ["OFF_HOOK, watched", sounding(up, reading, lift, key)],
  ["OFF_HOOK, watched, playing", sounding(up, reading, lift, key, play)],
  ["OFF_HOOK, reorder", sounding(up, reading, lift, key, { type: "time", atMs: 600 })],
  ["OFF_HOOK, howler", sounding(up, reading, lift, key, { type: "time", atMs: 600 }, { type: "time", atMs: 700 })],
  ["IN_CALL, attached", sounding(up, reading, { type: "attached", atMs: 4, what: "bridge" }, lift)],
  ["ERROR", reached(up, lost)],
  ["ERROR, was lifted", reached(up, lift, lost)],
]);

function inputName(input: LineInput): string {
  const details = Object.entries(input)
    .filter(([key]) => ["lifted", "trippedRing", "source", "reason", "volts", "count", "whole"].includes(key))
    .map(([key, value]) => (typeof value === "boolean" ? (value ? key : `not ${key}`) : String(value)));
  return details.length > 0 ? `${input.type} (${details.join(", ")})` : input.type;
}

function effectName(effect: LineEffect): string {
  if (effect.kind === "refuse") return `refuse ${effect.code}`;
  if (effect.kind === "end_playout") return `end_playout (${effect.reason})`;
  if (effect.kind === "start_tone") return `start_tone (${effect.tone})`;
  if (effect.kind === "wake") return effect.atMs === null ? "wake (never)" : "wake";
  if (effect.kind !== "emit") return effect.kind;
  const { body } = effect;
  if (body.type === "ring_stop" || body.type === "playback_finished") return `**${body.type}** ${body.reason}`;
  if (body.type === "off_hook") return body.answered ? "**off_hook** answered" : "**off_hook**";
  if (body.type === "voice") return `**voice** ${body.active ? "start" : "end"}`;
  if (body.type === "hardware_status") return `**hardware_status** ${body.status}`;
  return `**${body.type}**`;
}

export function transitionTable(): string {
  const rows: string[] = [];
  for (const [name, state] of SAMPLE_STATES) {
    rows.push(`## ${name}`, "", "| input | next state | effects, in order |", "|---|---|---|");
    for (const input of SAMPLE_INPUTS) {
      const next = step(state, input);
      const to = next.state === state ? "=" : stateName(next.state);
      rows.push(`| ${inputName(input)} | ${to} | ${next.effects.map(effectName).join(", ") || "none"} |`);
    }
    rows.push("");
  }
  return rows.join("\n");
}

export const TRANSITIONS_PAGE = (): string =>
  [
    "# Every input in every state",
    "",
    "Generated from `src/line/machine.ts` by `bun test/unit/line/write_transitions.ts`; a test compares. Bold: an",
    "event for clients. `=`: nothing changed.",
    "",
    transitionTable(),
  ].join("\n");
