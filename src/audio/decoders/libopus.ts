/** libopus's code. */
import { inflated } from "./inflate" with { type: "macro" };

export { default as Glue } from "../../../node_modules/opus-decoder/src/EmscriptenWasm.js";
export const WASM = Promise.resolve(inflated("opus-decoder"));
