/** What the packages of @wasm-audio-decoders call Emscripten's output; they declare no types for it. */
declare module "*/src/EmscriptenWasm.js" {
  const Glue: import("./wasm").WasmGlue;
  export default Glue;
}
