/** Sound files made by other people's encoders, and how far what is decoded is from the original. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ENCODERS = ["sox", "flac", "oggenc", "opusenc", "lame"];

export class SoundFiles implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "dahdi-sounds-"));
  #count = 0;

  /** A sweep from 300 to 3,000 Hz with soft ends, as 24-bit WAV. */
  original(rateHz: number, channels: number, seconds = 2): string {
    return this.sox(
      ["-n", "-r", String(rateHz), "-c", String(channels), "-b", "24"],
      ["synth", String(seconds), "sine", "300-3000", "gain", "-6", "fade", "t", "0.05", String(seconds), "0.05"],
    );
  }

  /** input and its options; effects; output options and ending. */
  sox(input: string[], effects: string[] = [], output: string[] = [], ending = "wav"): string {
    const path = this.path(ending);
    this.run("sox", "-R", ...input, ...output, path, ...effects);
    return path;
  }

  path(ending: string): string {
    return join(this.folder, `${this.#count++}.${ending}`);
  }

  run(...command: string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  }

  /** A file by the encoder of each compressed format. */
  encoded(format: string, original: string): string {
    const ending = { mp3: "mp3", vorbis: "ogg", opus: "opus", flac: "flac", oggflac: "oga" }[format] ?? format;
    const path = this.path(ending);
    const commands: Record<string, string[]> = {
      mp3: ["lame", "--quiet", "-b", "160", original, path],
      vorbis: ["oggenc", "-Q", "-q", "6", "-o", path, original],
      opus: ["opusenc", "--quiet", "--bitrate", "128", original, path],
      flac: ["flac", "-s", "-o", path, original],
      oggflac: ["flac", "-s", "--ogg", "-o", path, original],
    };
    const command = commands[format];
    if (command) this.run(...command);
    else this.run("sox", "-R", original, ...(format === "au" ? ["-e", "mu-law"] : []), path);
    return path;
  }

  /** The same at the telephone's rate, by sox: what ours is compared with, −1 … 1. */
  reference(original: string): Float32Array {
    const path = this.sox([original], ["remix", "-", "rate", "-v", "8000"], ["-e", "float", "-b", "32"], "f32");
    return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
  }

  bytes(path: string): Uint8Array {
    return new Uint8Array(readFileSync(path));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** At which shift the two agree best, by cross-correlation, and how well there: SNR with the best gain. */
export function compare(heard: Int16Array, reference: Float32Array): { lag: number; snrDb: number; gain: number } {
  const at = (shift: number): { snrDb: number; gain: number; product: number } => {
    let product = 0;
    let power = 0;
    const from = Math.max(0, shift);
    const to = Math.min(heard.length, reference.length + shift);
    for (let i = from; i < to; i++) {
      const wanted = (reference[i - shift] as number) * 32768;
      product += (heard[i] as number) * wanted;
      power += wanted * wanted;
    }
    const gain = power > 0 ? product / power : 0;
    let error = 0;
    for (let i = from; i < to; i++)
      error += ((heard[i] as number) - gain * (reference[i - shift] as number) * 32768) ** 2;
    return { snrDb: 10 * Math.log10((gain * gain * power + 1e-9) / (error + 1e-9)), gain, product };
  };
  let best = { lag: 0, ...at(0) };
  for (let lag = -60; lag <= 60; lag++) {
    const here = at(lag);
    if (here.product > best.product) best = { lag, ...here };
  }
  return { lag: best.lag, snrDb: best.snrDb, gain: best.gain };
}

/** What may befall a file: bytes changed, cut out, doubled, cut off, random ones in between. */
export function mutated(bytes: Uint8Array, random: () => number): Uint8Array {
  const copy = bytes.slice();
  const place = (): number => Math.floor(random() * copy.length * (random() < 0.5 ? 0.02 : 1));
  const kind = Math.floor(random() * 5);
  if (kind === 0) return copy.subarray(0, place());
  if (kind === 1) {
    const [from, to] = [place(), place()].sort((a, b) => a - b) as [number, number];
    return Uint8Array.from([...copy.subarray(0, from), ...copy.subarray(to)]);
  }
  if (kind === 2) {
    const at = place();
    return Uint8Array.from([...copy.subarray(0, at), ...copy.subarray(at, at + 100), ...copy.subarray(at)]);
  }
  const changes = kind === 3 ? 1 + Math.floor(random() * 4) : 1 + Math.floor(random() * 200);
  for (let i = 0; i < changes; i++) copy[place()] = Math.floor(random() * 256);
  return copy;
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Ogg pages with right checksums again, so that what was changed in them reaches the decoder behind. */
export function resealed(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let at = 0; at + 27 <= copy.length && view.getUint32(at) === 0x4f676753; ) {
    const segments = copy[at + 26] as number;
    let length = 27 + segments;
    for (let i = 0; i < segments; i++) length += copy[at + 27 + i] ?? 0;
    if (at + length > copy.length) break;
    view.setUint32(at + 22, 0, true);
    let crc = 0;
    for (let i = at; i < at + length; i++) {
      crc ^= (copy[i] as number) << 24;
      for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
    }
    view.setUint32(at + 22, crc >>> 0, true);
    at += length;
  }
  return copy;
}
