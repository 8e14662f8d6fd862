/** libvorbis's code. */
import { inflated } from "./inflate" with { type: "macro" };

export { default as Glue } from "../../../node_modules/@wasm-audio-decoders/ogg-vorbis/src/EmscriptenWasm.js";
export const WASM = Promise.resolve(inflated("@wasm-audio-decoders/ogg-vorbis"));
