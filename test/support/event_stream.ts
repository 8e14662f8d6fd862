/** A client of GET /events/stream that keeps what comes, as a browser's EventSource would read it. */
export interface StreamedEvent {
  id: string | null;
  data: Record<string, unknown>;
}

export class EventStreamClient implements AsyncDisposable {
  readonly events: StreamedEvent[] = [];
  /** Of the answer. */
  headers = new Headers();
  readonly #abort = new AbortController();
  readonly closed: Promise<void>;

  private constructor(private readonly response: Response) {
    this.headers = response.headers;
    this.closed = this.#read();
  }

  static async open(url: string, lastEventId?: string): Promise<EventStreamClient> {
    const abort = new AbortController();
    const response = await fetch(url, {
      signal: abort.signal,
      headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const client = new EventStreamClient(response);
    client.#abort.signal.addEventListener("abort", () => abort.abort());
    return client;
  }

  async #read(): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    try {
      for await (const bytes of this.response.body ?? []) {
        text += decoder.decode(bytes as Uint8Array, { stream: true });
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data !== undefined)
            this.events.push({ id: /^id: (.*)$/m.exec(block)?.[1] ?? null, data: JSON.parse(data) });
        }
      }
    } catch {
      // the server or we ended it
    }
  }

  types(): unknown[] {
    return this.events.map(({ data }) => data.type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.closed;
  }
}
