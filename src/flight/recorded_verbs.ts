/**
 * The exchange's verbs, as they are asked and refused. A proxy, so that a verb is recorded from the day it exists; the
 * table says of each member what it is, and does not compile without.
 */
import { type Exchange, Refusal } from "../exchange/verbs";

type VerbsOf<Room> = { [K in keyof Room]: Room[K] extends (...given: never[]) => unknown ? K : never }[keyof Room];

/** "verb": changes something; "session": begins what cannot be done again; null: only asks. A list: a room's verbs. */
const MEMBERS: {
  [K in keyof Exchange]: Exchange[K] extends (...given: never[]) => unknown
    ? "verb" | "session" | null
    : readonly VerbsOf<NonNullable<Exchange[K]>>[] | null;
} = {
  defaultLine: null,
  lines: null,
  handsets: null,
  status: null,
  voltage: null,
  diagnostics: null,
  playbacks: ["pause", "resume", "seek", "stop", "stopAll"],
  bridges: ["create", "add", "remove", "hold", "delete"],
  ring: "verb",
  stopRing: "verb",
  play: "verb",
  tone: "verb",
  callWaiting: "verb",
  record: "verb",
  stopRecording: "verb",
  pauseRecording: "verb",
  resumeRecording: "verb",
  messageWaiting: "verb",
  gather: "verb",
  stopGather: "verb",
  announce: "verb",
  stopAnnouncement: "verb",
  farEndLost: "verb",
  admitAudio: null,
  openAudio: "session",
};

/** Of "ring" or "bridges.create"; null: it is none, or this version has none of that name. */
export function verbKind(name: string): "verb" | "session" | null {
  const [first = "", second] = name.split(".");
  const member = Object.hasOwn(MEMBERS, first) ? MEMBERS[first as keyof Exchange] : null;
  if (second === undefined) return member === "verb" || member === "session" ? member : null;
  return Array.isArray(member) && (member as readonly string[]).includes(second) ? "verb" : null;
}

export interface VerbRecorder {
  /** Returns the call's number. */
  asked(verb: string, given: readonly unknown[]): number;
  refused(call: number, code: string): void;
}

/** Stable: the refusal's own, or "error". */
export const codeOf = (error: unknown): string => (error instanceof Refusal ? error.code : "error");

type Method = (...given: unknown[]) => unknown;

/** The same exchange, whose verbs are recorded. */
export function recordedExchange(exchange: Exchange, recorder: VerbRecorder): Exchange {
  const recorded = (owner: object, method: Method, name: string): Method => {
    return (...given) => {
      const call = recorder.asked(name, given);
      try {
        const answer = Reflect.apply(method, owner, given);
        if (answer instanceof Promise) answer.catch((error: unknown) => recorder.refused(call, codeOf(error)));
        return answer;
      } catch (error) {
        recorder.refused(call, codeOf(error));
        throw error;
      }
    };
  };
  const wrap = <Room extends object>(room: Room, prefix: string): Room => {
    const wrapped = new Map<PropertyKey, unknown>();
    const wrapping = (property: PropertyKey, value: unknown): unknown => {
      const name = `${prefix}${String(property)}`;
      if (typeof value === "function")
        return verbKind(name) ? recorded(room, value as Method, name) : value.bind(room);
      const isRoom = prefix === "" && Array.isArray(MEMBERS[property as keyof Exchange]);
      return isRoom ? wrap(value as object, `${name}.`) : undefined;
    };
    return new Proxy(room, {
      get: (_, property) => {
        const value: unknown = Reflect.get(room, property);
        if (!wrapped.has(property)) wrapped.set(property, wrapping(property, value));
        return wrapped.get(property) ?? value;
      },
    });
  };
  return wrap(exchange, "");
}

const LONGEST_TEXT = 200;
/** Values of one call, nested ones too. */
const MOST_VALUES = 200;

/** What was given, as JSON can have it, and bounded: a sound is its length. */
export function plainArguments(given: readonly unknown[]): unknown[] {
  let left = MOST_VALUES;
  const plain = (value: unknown): unknown => {
    if (left-- <= 0) return undefined;
    if (typeof value === "string") return value.slice(0, LONGEST_TEXT);
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    if (typeof value !== "object") return undefined;
    if (ArrayBuffer.isView(value)) return { bytes: value.byteLength };
    if ("read" in value && typeof value.read === "function" && "samples" in value)
      return { sound: { samples: value.samples } };
    if (Array.isArray(value)) return value.slice(0, Math.max(0, left)).map(plain);
    const fields = Object.entries(value).slice(0, Math.max(0, left));
    return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
  };
  return given.map(plain);
}
