/** A program of this machine that speaks. */
import type { SpeechRequest } from "./sound_reference";

export interface Voice {
  voice: string;
  language: string;
  name: string;
}

/** How it is told to speak; the text goes to its standard input, and nowhere else. */
export interface SpeechCommand {
  command: string[];
  input: string;
  /** What its output lacks to be a WAV file; null: nothing. */
  header: Uint8Array | null;
}

export interface SpeechEngine {
  readonly name: "espeak-ng" | "piper";
  readonly program: string;
  voices(): Promise<readonly Voice[]>;
  /** Throws SoundError where there is no such voice. */
  command(request: SpeechRequest): Promise<SpeechCommand>;
}
