/**
 * Other people's decoders in WebAssembly: what goes wrong in one stays in its own memory, which is of fixed size.
 * Each playback has an instance of its own; the code is compiled once, when the first such file comes.
 */

export interface WasmMemory {
  HEAP: ArrayBuffer;
  malloc(bytes: number): number;
  free(pointer: number): void;
}

/** What Emscripten made: given a module it instantiates it and puts the exported functions on itself. */
export type WasmGlue = new (common: {
  getModule(): Promise<WebAssembly.Module>;
}) => { instantiate(): { ready: Promise<void> } };

/** A file of its own for each decoder, so that a start does not read them. */
export interface WasmCode {
  Glue: WasmGlue;
  /** Base64. */
  WASM: Promise<string>;
}

/** Loads and compiles when first asked. Each call gives an instance. */
export function wasmDecoder<Exports>(load: () => Promise<WasmCode>): () => Promise<Exports & WasmMemory> {
  let code: Promise<WasmCode> | null = null;
  let module: Promise<WebAssembly.Module> | null = null;
  return async () => {
    code ??= load();
    const { Glue, WASM } = await code;
    module ??= WASM.then((text) => WebAssembly.compile(Buffer.from(text, "base64")));
    const compiled = module;
    const wasm = new Glue({ getModule: () => compiled }).instantiate();
    await wasm.ready;
    return wasm as unknown as Exports & WasmMemory;
  };
}

/** A number that a decoder writes for us. */
export class WasmCell {
  readonly pointer: number;
  constructor(private readonly memory: WasmMemory) {
    this.pointer = memory.malloc(4);
    this.value = 0;
  }
  get value(): number {
    return new Int32Array(this.memory.HEAP, this.pointer, 1)[0] as number;
  }
  set value(value: number) {
    new Int32Array(this.memory.HEAP, this.pointer, 1)[0] = value;
  }
}

export const intoWasm = (memory: WasmMemory, pointer: number, bytes: Uint8Array): void =>
  new Uint8Array(memory.HEAP, pointer, bytes.length).set(bytes);
