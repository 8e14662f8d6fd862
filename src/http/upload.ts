/**
 * A body that is used while it still arrives: read no further ahead than some megabytes, so that the sender is
 * held back and memory stays flat however long it is. TCP does the holding back. Of a form it is the file's bytes that
 * are used; what is counted and timed is all of it.
 */
import { ByteStream } from "../audio/byte_stream";
import { FormFile } from "./form_file";
import { bodyTooLarge } from "./input";
import { Problem } from "./problem";

/** Files up to this size are taken over at once; of longer ones that much is read ahead of the ear. */
export const READ_AHEAD_BYTES = 8 * 1024 * 1024;
/** With so much in memory for all requests together, each is read only as it is heard. */
const MAX_HELD_BYTES = 256 * 1024 * 1024;
const SCARCE_BYTES = 256 * 1024;

/** What all uploads hold just now. */
let heldBytes = 0;

export interface UploadLimits {
  maxBytes: number;
  /** Without a byte for so long the sender is gone. */
  stallMs: number;
}

export const isForm = (request: Request): boolean =>
  /^multipart\/form-data\b/i.test(request.headers.get("content-type") ?? "");

interface BodyReader {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

export class Upload {
  readonly bytes: ByteStream;
  readonly #reader: BodyReader | null;
  readonly #announcedBytes: number | null;
  readonly #field = Promise.withResolvers<string | null>();
  #fieldKnown: boolean;
  #received = 0;
  #held = 0;
  #wanted: (() => void) | null = null;
  #closed = false;
  readonly #over = Promise.withResolvers<void>();

  /** fieldName: of a form's field that is asked for. */
  constructor(
    private readonly request: Request,
    private readonly limits: UploadLimits,
    private readonly fieldName: string | null = null,
  ) {
    const length = request.headers.get("content-length");
    this.#announcedBytes = request.body === null ? 0 : length === null ? null : Number(length);
    if ((this.#announcedBytes ?? 0) > limits.maxBytes) throw bodyTooLarge(limits.maxBytes);
    // How much of a form is its file is known when it is over.
    this.bytes = new ByteStream(isForm(request) ? null : this.#announcedBytes);
    this.#fieldKnown = fieldName === null || !isForm(request);
    this.bytes.onTaken = () => this.#taken();
    this.bytes.onClosed = () => this.#close();
    this.#reader = request.body?.getReader() ?? null;
    void this.#receive();
  }

  /** Memory to reckon with. */
  get reservedBytes(): number {
    return Math.min(this.#announcedBytes ?? READ_AHEAD_BYTES, READ_AHEAD_BYTES);
  }

  /** What the form's field says; null: it has none. Waits for all that is read ahead, where it has to. */
  async field(): Promise<string | null> {
    const value = await this.#field.promise;
    if (this.bytes.failure) throw this.bytes.failure;
    return value;
  }

  /** Nobody else wants the rest where it cannot be used. */
  async usedBy<T>(use: () => T | Promise<T>): Promise<T> {
    try {
      return await use();
    } catch (error) {
      this.bytes.close();
      throw error;
    }
  }

  /** Settles when all of it is here, when it failed, or when nobody wants the rest. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  async #receive(): Promise<void> {
    try {
      const form = isForm(this.request) ? await this.#openForm() : null;
      while (!this.#closed) {
        const value = await this.#inTime(this.#read());
        if (this.#closed) break;
        if (!value) {
          if (form) await this.#inTime(form.end());
          this.bytes.end();
          break;
        }
        this.#received += value.byteLength;
        if (this.#received > this.limits.maxBytes) throw bodyTooLarge(this.limits.maxBytes);
        if (form) await this.#inTime(form.write(value));
        else this.#push(value);
        await this.#room();
      }
    } catch (error) {
      this.bytes.fail(error instanceof Problem ? error : lost());
      await this.#reader?.cancel().catch(() => undefined);
    }
    this.#field.resolve(null);
    this.#over.resolve();
  }

  #openForm(): Promise<FormFile> {
    const { fieldName } = this;
    return FormFile.open(this.request.headers.get("content-type") ?? "", {
      file: (bytes) => {
        if (!this.#closed) this.#push(bytes);
      },
      field: fieldName === null ? null : { name: fieldName, told: (value) => this.#tellField(value) },
    });
  }

  #tellField(value: string): void {
    this.#fieldKnown = true;
    this.#field.resolve(value);
  }

  /** null: there is no more. */
  async #read(): Promise<Uint8Array | null> {
    return (await this.#reader?.read())?.value ?? null;
  }

  async #inTime<T>(step: Promise<T>): Promise<T> {
    const stalled = Promise.withResolvers<never>();
    const timer = setTimeout(() => stalled.reject(stall(this.limits.stallMs)), this.limits.stallMs);
    try {
      return await Promise.race([step, stalled.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #push(bytes: Uint8Array): void {
    this.#hold(bytes.byteLength);
    this.bytes.push(bytes);
  }

  /** Waits until so much of what is here was taken that more may come. */
  async #room(): Promise<void> {
    while (!this.#closed && this.#held >= (heldBytes > MAX_HELD_BYTES ? SCARCE_BYTES : READ_AHEAD_BYTES)) {
      if (!this.#fieldKnown) throw fieldTooLate(this.fieldName as string);
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
  }

  #hold(change: number): void {
    this.#held += change;
    heldBytes += change;
  }

  #taken(): void {
    this.#hold(this.bytes.available - this.#held);
    this.#wanted?.();
    this.#wanted = null;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#taken();
    if (!this.bytes.ended) this.#reader?.cancel().catch(() => undefined);
    this.#field.resolve(null);
    this.#over.resolve();
  }
}

/** Who waits for it takes nothing of the file, which would be held for ever. */
function fieldTooLate(field: string): Problem {
  const message = `must come before a file that is so long: send it first, {} where there is nothing to say`;
  return new Problem(422, "invalid_input", `${field} ${message}.`, { errors: [{ field, message }] });
}
const lost = (): Problem => new Problem(422, "upload_lost", "The upload broke off: send it again.");
/** The rest of the body may still come: nothing else can be asked on that connection. */
const stall = (stallMs: number): Problem =>
  new Problem(422, "upload_stalled", `Nothing came for ${stallMs / 1000} s (api.timeout): send without pausing.`, {
    headers: { connection: "close" },
  });
