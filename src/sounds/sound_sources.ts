/** Every way to name a sound, and the one place that opens it. */
import type { PcmSource } from "../audio/source";
import type { OpenOptions } from "./opened";
import type { SoundReference, SpeechRequest } from "./sound_reference";

export interface SoundSourcesOptions {
  urls: { open(url: string, options: OpenOptions): Promise<PcmSource> };
  prompts: { open(name: string, options: OpenOptions): Promise<PcmSource> };
  speech: { open(request: SpeechRequest, options: OpenOptions): Promise<PcmSource> };
  tone(name: string): PcmSource;
}

export class SoundSources {
  constructor(private readonly options: SoundSourcesOptions) {}

  /** Settles when the first of it can be heard. Throws SoundError, AudioError, or Refusal of a tone. */
  async open(
    reference: SoundReference,
    { signal, loudnessDbm0 = null }: { signal: AbortSignal; loudnessDbm0?: number | null },
  ): Promise<PcmSource> {
    const { urls, prompts, speech, tone } = this.options;
    const options = { signal, loudnessDbm0 };
    if ("url" in reference) return await urls.open(reference.url, options);
    if ("prompt" in reference) return await prompts.open(reference.prompt, options);
    if ("say" in reference) return await speech.open(reference, options);
    return tone(reference.tone);
  }
}
