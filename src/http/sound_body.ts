/** What a request about a sound brings: JSON that names one, or the sound itself, alone or in a form. */
import type { ByteStream } from "../audio/byte_stream";
import type { Call } from "./endpoint";
import { isJson, jsonTooLarge, MAX_JSON_BYTES, mediaType, readJson } from "./input";
import { isForm, Upload } from "./upload";

const MS_PER_S = 1000;
/** So much of a body tells text from samples; of sound it is 4 ms. */
const HEAD_BYTES = 64;

const JSON_HEAD = /^\s*(\{[\t\n\r\x20-\x7e\u00a0-\uffff]*)?$/;

/** json: its bytes, none where the body is empty. */
export type SoundBody = { json: Uint8Array; upload: null } | { json: null; upload: Upload };

/** fieldName: of a form's field beside the file that upload.field() is to tell. */
export async function soundBody(call: Call, fieldName: string | null = null): Promise<SoundBody> {
  const { request, dependencies } = call;
  if (isJson(request)) return { json: await readJson(request), upload: null };
  const { maxBodyBytes, timeoutS } = dependencies.limits;
  const upload = new Upload(request, { maxBytes: maxBodyBytes, stallMs: timeoutS * MS_PER_S }, fieldName);
  // Until then it has to come as JSON has to.
  if (isCalledSound(request) || !(await upload.usedBy(() => isJsonText(upload.bytes)))) {
    call.keepOpen();
    return { json: null, upload };
  }
  const json = await upload.usedBy(() => allOf(upload.bytes));
  upload.bytes.close();
  return { json, upload: null };
}

/** Anything else may be what a client calls every body: curl -d says "form", fetch says text/plain. */
const isCalledSound = (request: Request): boolean =>
  isForm(request) || /^(audio\/|video\/|application\/(octet-stream|ogg)$)/.test(mediaType(request));

/** A brace is also a sample's byte: it begins JSON where nothing but text follows. */
async function isJsonText(bytes: ByteStream): Promise<boolean> {
  for (const least of [1, HEAD_BYTES]) {
    await bytes.atLeast(least);
    if (!JSON_HEAD.test(beginning(bytes))) return false;
  }
  return beginning(bytes).includes("{");
}

function beginning(bytes: ByteStream): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.peek(HEAD_BYTES), { stream: true });
  } catch {
    return "\0"; // no text
  }
}

async function allOf(bytes: ByteStream): Promise<Uint8Array> {
  await bytes.atLeast(MAX_JSON_BYTES + 1); // fewer than are read ahead at worst
  if (bytes.failure) throw bytes.failure;
  if (bytes.available > MAX_JSON_BYTES) throw jsonTooLarge();
  return bytes.take(bytes.available);
}
