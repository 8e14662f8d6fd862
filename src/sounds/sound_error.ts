export type SoundErrorCode =
  | "unknown_prompt" // 404
  | "bad_name" // 422 of a prompt
  | "url_refused" // 422 not asked at all
  | "url_unreadable" // 422 asked, and it gave no sound
  | "unsayable_text" // 422
  | "unknown_voice" // 422
  | "too_many_sounds" // 429
  | "no_speech_engine" // 501
  | "speech_failed" // 503
  | "prompts_unavailable" // 503
  | "cancelled" // nobody is there to read it
  | "source_timeout" // 504
  | "disk_full"; // 507

/** Why a sound cannot be had. */
export class SoundError extends Error {
  constructor(
    readonly code: SoundErrorCode,
    /** One sentence that says what to do. */
    message: string,
  ) {
    super(message);
    this.name = "SoundError";
  }
}

export const cancelled = (): SoundError =>
  new SoundError("cancelled", "The client went away before it was there.");
