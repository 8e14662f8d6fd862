/** mpg123's code. */
import { inflated } from "./inflate" with { type: "macro" };

export { default as Glue } from "../../../node_modules/mpg123-decoder/src/EmscriptenWasm.js";
export const WASM = Promise.resolve(inflated("mpg123-decoder"));
