/** What the OpenAPI text says of live audio, which Elysia leaves out as it does all WebSockets. */

export const AUDIO_TEXT = [
  "Connect with a WebSocket client. **Binary frames are sound**, 8 kHz mono: yours are heard, and every 20 ms (frame_ms) " +
    "one comes with what the telephone says. **Text frames are JSON.** What you send may be of any length, as fast as " +
    "you like: it waits, and is heard by the card's clock. The session begins when the telephone is lifted and ends " +
    "when it is hung up; while it lasts the line is IN_CALL.",
  "You are told:",
  '- `{"type":"started","line":1,"format":"slin16","sample_rate":8000,"frame_ms":20,"mode":"both"}` before all else',
  '- `{"type":"mark","name":"greeting"}` when all that you sent before that mark was heard; with `"cleared":true` when it will not be',
  '- `{"type":"xoff"}` when 20 of the 30 s that may wait do (two thirds of max_buffer_ms), `{"type":"xon"}` when ' +
    "it is a third",
  '- `{"type":"lost","samples":1600}` in the place of sound that you did not read for a second, or the server could not',
  '- `{"type":"stopped","reason":"hung_up"}` with the last statistics, before it closes with 1000. reason: hung_up, ' +
    "line_down, unanswered (it was waiting for the answer to a ring) or, with close code 1001, server_stopping",
  '- `{"type":"refused","status":409,"code":"talker_active","detail":"…"}` before it closes with 4000 + status: somebody was ' +
    "quicker, or the telephone was hung up meanwhile",
  '- `{"type":"error","code":"…","detail":"…"}` when a text frame of yours was none of these:',
  "",
  "You may say:",
  '- `{"type":"mark","name":"greeting"}`: up to 1500 may wait',
  '- `{"type":"clear"}`: what waits is dropped, what is heard fades in 5 ms',
  '- `{"type":"stats"}`: answered with frames and samples in and out, `buffered_ms`, `underruns` (yours came too late, in ' +
    "the middle of a sound), `dropped_samples` (yours, not heard), `lost_samples` (ours, not read), `jitter_ms` " +
    "(RFC 3550)",
  "",
  "Somebody who talks is alone with that: a second is refused with 409 `talker_active`, by close code 4409 where both " +
    "came at once. More than 5000 frames a second, or 100 that are answered at once (stats, and what is none of these), or " +
    "answers that are not read, close with 1008.",
].join("\n");
