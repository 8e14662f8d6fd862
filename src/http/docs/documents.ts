/** The OpenAPI and the AsyncAPI text. They are made once, when somebody asks: a start, and a server nobody asks, do without. */

export interface ToDocumentsThread {
  version: string;
  /** The telephones are: then there is a hand on them. */
  simulated: boolean;
}

/** UTF-8 JSON. */
export interface Documents {
  openApi: Uint8Array<ArrayBuffer>;
  asyncApi: Uint8Array<ArrayBuffer>;
}

/** threadUrl: of documents_thread.ts. */
export function documentsOf(threadUrl: string, about: ToDocumentsThread): () => Promise<Documents> {
  let made: Promise<Documents> | null = null;
  const make = (): Promise<Documents> =>
    new Promise<Documents>((resolve, reject) => {
      const worker = new Worker(threadUrl, { smol: true });
      worker.unref();
      worker.onmessage = ({ data }: MessageEvent<Documents>) => {
        worker.terminate();
        resolve(data);
      };
      worker.onerror = ({ message }) => {
        worker.terminate();
        made = null; // the next who asks may be luckier
        reject(new Error(`the API's description could not be made: ${message}`));
      };
      worker.postMessage(about);
    });
  return () => (made ??= make());
}
