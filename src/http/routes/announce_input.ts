/**
 * What POST /announce brings: JSON that names a sound; or the sound, with the options in the query, or in a field of the
 * form in which it comes.
 */
import type { Static } from "@sinclair/typebox";
import type { PcmSource } from "../../audio/source";
import type { Call } from "../endpoint";
import { isObject, mergedInput, parsedInput, queryInput } from "../input";
import { Problem } from "../problem";
import { AnnounceInput, type AnnounceOptionsInput } from "../schema_gather";
import { namedSound, SoundReferenceInput } from "../schema_sounds";
import { soundBody } from "../sound_body";
import { isForm, type Upload } from "../upload";
import { openUpload } from "./sound";

const OPTIONS = "options";
type Input = Static<typeof AnnounceInput>;

export interface Announced {
  options: Static<typeof AnnounceOptionsInput>;
  source: PcmSource;
  /** null: the sound was named. */
  upload: Upload | null;
}

export async function announceInput(call: Call): Promise<Announced> {
  const { json, upload } = await soundBody(call, OPTIONS);
  if (!upload) return await named(call, json);
  const { bytes } = upload;
  if (!isForm(call.request)) {
    await upload.usedBy(() => bytes.atLeast(1));
    if (bytes.available === 0) return await named(call, new Uint8Array(0));
  }
  const options = await upload.usedBy(async () => {
    const input = isForm(call.request)
      ? fieldInput(await upload.field(), call.query)
      : queryInput(AnnounceInput, call.query);
    await bytes.atLeast(1); // who forgot the file is told that
    return withoutName(input);
  });
  return { options, source: await openUpload(upload, options.loudness_dbm0 ?? null), upload };
}

async function named(call: Call, json: Uint8Array): Promise<Announced> {
  const options = parsedInput(AnnounceInput, json, call.query);
  const { url, prompt, say, tone, voice, language, rate, engine } = options;
  const reference = { url, prompt, say, tone, voice, language, rate, engine } as Static<
    typeof SoundReferenceInput
  >;
  return { options, source: await namedSound(call, reference, options.loudness_dbm0 ?? null), upload: null };
}

function fieldInput(text: string | null, query: Call["query"]): Input {
  if (text === null) return queryInput(AnnounceInput, query);
  let options: unknown = null;
  try {
    options = JSON.parse(text);
  } catch {
    // is none
  }
  if (!isObject(options)) throw wrong(OPTIONS, 'must be a JSON object, such as {"max_ring_seconds":20}');
  return mergedInput(AnnounceInput, options, query);
}

/** The sound is there: none is to be named beside it. */
function withoutName(input: Input): Input {
  const name = (Object.keys(SoundReferenceInput.properties) as (keyof Input)[]).find((key) => key in input);
  if (name !== undefined) throw wrong(name, "goes without a sound in the body");
  return input;
}

const wrong = (field: string, message: string): Problem =>
  new Problem(422, "invalid_input", `${field} ${message}.`, { errors: [{ field, message }] });
