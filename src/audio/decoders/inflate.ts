/**
 * Runs while the program is built (a macro of Bun): a decoder's WebAssembly, which its package carries compressed
 * in text, as it is. Unpacking it at run time took 30 ms before the first sample, compiling it takes 2.
 */
import { join } from "node:path";

interface Common {
  new (): unknown;
  /** There when one was made. */
  inflateDynEncodeString(text: string): Promise<Uint8Array>;
}

interface Glue {
  new (common: Common): unknown;
  /** There when one was made. */
  wasm: string;
}

/** Base64. */
export async function inflated(packageName: string): Promise<string> {
  const path = join(import.meta.dir, "../../../node_modules", packageName, "src/EmscriptenWasm.js");
  const { default: PackedGlue } = (await import(path)) as { default: Glue };
  const library = (await import("@wasm-audio-decoders/common")) as unknown as { WASMAudioDecoderCommon: Common };
  const { WASMAudioDecoderCommon } = library;
  new WASMAudioDecoderCommon();
  new PackedGlue(WASMAudioDecoderCommon);
  return Buffer.from(await WASMAudioDecoderCommon.inflateDynEncodeString(PackedGlue.wasm)).toString("base64");
}
