/** A sound by where it comes from: exactly one of these. */

export interface SpeechRequest {
  say: string;
  /** Of GET /speech/voices; omitted: the language's, or the configured one. */
  voice?: string;
  /** Such as de or en-US. */
  language?: string;
  /** 1: the engine's own pace; 2: twice as fast. */
  rate?: number;
  engine?: string;
}

export type SoundReference = { url: string } | { prompt: string } | { tone: string } | SpeechRequest;
