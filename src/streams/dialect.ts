/** A voice bot's language: how the telephone is told to it, and what it says. No sockets here. */

export type DialectName = "twilio" | "audiosocket";

/** As the socket takes it: a text frame, or bytes. */
export type Wire = string | Uint8Array<ArrayBuffer>;

export type BotMessage =
  | { kind: "audio"; samples: Int16Array }
  /** To be echoed when all that came before it has been heard. */
  | { kind: "mark"; name: string }
  /** What waits to be heard is dropped. */
  | { kind: "clear" }
  | { kind: "hang_up" }
  /** The bot failed, or what it sent is not of this language; the text is half a sentence about it. */
  | { kind: "error"; detail: string };

export interface Dialect {
  /** Before anything else. */
  begin(): Wire[];
  /** One block of what the telephone says; lostBlocks: before it, which nobody has. */
  audio(samples: Int16Array, lostBlocks: number): Wire;
  digit(digit: string): Wire;
  /** null: the language has no such word. */
  mark(name: string): Wire | null;
  /** The last. */
  end(): Wire;
  /** What arrived, in pieces of any size where it is a stream of bytes. */
  receive(data: Wire): BotMessage[];
}
