/** Why a sound cannot be played. The message says what to send instead. */
export class AudioError extends Error {
  constructor(
    readonly code: "unsupported_format" | "truncated" | "malformed" | "odd_length" | "empty" | "too_long",
    message: string,
  ) {
    super(message);
    this.name = "AudioError";
  }
}
