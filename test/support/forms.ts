/** Forms as bytes, so that a test can cut them where it likes. */
export const FORM_TYPE = "multipart/form-data; boundary=form";

export interface FormPart {
  name: string;
  filename?: string;
  type?: string;
  /** A header ahead of the others. */
  before?: string;
  content: Uint8Array;
}

const text = (said: string): Uint8Array => new TextEncoder().encode(said);

function headOf({ name, filename, type, before }: Omit<FormPart, "content">): Uint8Array {
  const called = filename === undefined ? "" : `; filename="${filename}"`;
  const headers = [
    ...(before === undefined ? [] : [before]),
    `Content-Disposition: form-data; name="${name}"${called}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
  ];
  return text(`--form\r\n${headers.join("\r\n")}\r\n\r\n`);
}

/** All that comes before the first byte of a file. */
export const fileHead = (name: string): Uint8Array => headOf({ name, filename: "sound" });
/** All that comes after the last byte of what is in the last part. */
export const formTail = text("\r\n--form--\r\n");

export const formOf = (parts: readonly FormPart[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat([
      ...parts.flatMap((part, i) => [text(i === 0 ? "" : "\r\n"), headOf(part), part.content]),
      formTail,
    ]),
  );
