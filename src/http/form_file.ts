/**
 * The file of a multipart/form-data body, taken out of it while it arrives: whoever has the body writes it piece by piece,
 * and is given the file's bytes in return. Nothing waits here but one field that is asked for.
 */
import type { BusboyInstance } from "@fastify/busboy";
import { Problem } from "./problem";

/** The parser looks at one after another, and stops between two where what it gave was not taken. */
const SLICE_BYTES = 16 * 1024;
const MAX_FIELD_BYTES = 64 * 1024;
/** What exceeds these is passed over: there is one file, and whoever sends more means something else. */
const LIMITS = { files: 1, parts: 100, headerSize: 16 * 1024, fieldSize: MAX_FIELD_BYTES };

export interface FormListener {
  /** Of the first file, whatever its name is. */
  file(bytes: Uint8Array): void;
  /** A field that is told of, of MAX_FIELD_BYTES at most; null: none is. */
  field: { name: string; told(value: string): void } | null;
}

export class FormFile {
  #found = false;
  #failure: Error | null = null;
  /** Of the step that is under way. */
  #reject: (failure: Error) => void = () => undefined;

  private constructor(
    private readonly parser: BusboyInstance,
    listener: FormListener,
  ) {
    parser.on("file", (_name, file) => {
      this.#found = true;
      file.on("data", (bytes: Uint8Array) => listener.file(bytes));
      file.on("error", () => this.#fail());
    });
    parser.on("field", (name, value) => {
      if (name === listener.field?.name) listener.field.told(value);
    });
    parser.on("error", () => this.#fail());
  }

  /** Throws Problem where the content type names no boundary that can be looked for. */
  static async open(contentType: string, listener: FormListener): Promise<FormFile> {
    const { Busboy } = await import("@fastify/busboy"); // brings node:stream
    const fieldName = listener.field?.name;
    try {
      const parser = new Busboy({
        headers: { "content-type": contentType },
        limits: fieldName === undefined ? { ...LIMITS, fields: 0 } : LIMITS,
        // A browser's FormData gives a field that is a Blob the name of a file.
        isPartAFile: (name, type, filename) =>
          (fieldName === undefined || name !== fieldName) &&
          (filename !== undefined || type === "application/octet-stream"),
      });
      return new FormFile(parser, listener);
    } catch {
      throw noFile();
    }
  }

  /** Settles when it was looked at, and its part of the file was given. Throws where it is no part of a form. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      await this.#step((done) => this.parser.write(slice, () => done()));
    }
  }

  /** Of the form. Throws where it broke off in its file, or had none. */
  async end(): Promise<void> {
    await this.#step((done) => {
      this.parser.once("finish", done);
      this.parser.end();
    });
    if (!this.#found) throw noFile();
  }

  #step(take: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#reject = reject;
      take(resolve);
    });
  }

  #fail(): void {
    this.#failure ??= this.#found ? new Error("the form breaks off") : noFile();
    this.#reject(this.#failure);
  }
}

const noFile = (): Problem =>
  new Problem(
    422,
    "no_file",
    "The form holds no file: send one, as in curl -F file=@hello.wav, or the bytes alone.",
  );
