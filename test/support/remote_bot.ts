/** A voice bot in a process of its own, in Python: remote_bot.py, or one of examples/. */
import { join } from "node:path";
import type { Json } from "./client";
import { eventually, ROOT } from "./server";

export const PYTHON = "/usr/bin/python3";

export class BotProcess implements AsyncDisposable {
  output = "";
  readonly #child: Bun.Subprocess<"pipe", "pipe", "inherit">;

  constructor(script: string, ...options: string[]) {
    const child = Bun.spawn([PYTHON, join(ROOT, script), ...options], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    this.#child = child;
    void (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) this.output += decoder.decode(chunk, { stream: true });
    })();
  }

  /** Waits until it is told. */
  async prints(wanted: RegExp): Promise<RegExpExecArray> {
    await eventually(
      () => this.output,
      (output) => wanted.test(output),
    );
    return wanted.exec(this.output) as RegExpExecArray;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
    this.#child.stdin.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }
}

export class RemoteBot extends BotProcess {
  url = "";

  static async start(dialect: "twilio" | "audiosocket", ...options: string[]): Promise<RemoteBot> {
    const bot = new RemoteBot("test/support/remote_bot.py", dialect, ...options);
    const [, port] = await bot.prints(/"port": (\d+)/);
    bot.url = `${dialect === "twilio" ? "ws" : "tcp"}://127.0.0.1:${port}`;
    return bot;
  }

  events(): Json[] {
    return this.output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Json);
  }

  /** What it was sent, of the twilio dialect. */
  messages(): Json[] {
    return this.events().flatMap(({ event, text }) =>
      event === "message" ? [JSON.parse(text as string) as Json] : [],
    );
  }

  /** What it was sent, of AudioSocket. */
  bytes(): Buffer {
    return Buffer.from(
      this.events()
        .map(({ hex }) => hex ?? "")
        .join(""),
      "hex",
    );
  }

  /** The first message that is so, past or to come. */
  async hears(event: string, so: (message: Json) => boolean = () => true): Promise<Json> {
    const wanted = (message: Json): boolean => message.event === event && so(message);
    await eventually(
      () => this.messages(),
      (messages) => messages.some(wanted),
    );
    return this.messages().find(wanted) as Json;
  }

  /** Of the process: connected, closed. */
  async tells(event: string): Promise<Json> {
    await eventually(
      () => this.events(),
      (events) => events.some((each) => each.event === event),
    );
    return this.events().find((each) => each.event === event) as Json;
  }

  says(message: unknown): void {
    this.write(JSON.stringify(message));
  }
}
