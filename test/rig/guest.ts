/** A booted guest: its console, its agent, files and commands in it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../support/free_port";
import type { Guest } from "./guests";
import type { Image } from "./image";
import { RIG } from "./packages";

const BOOT_LIMIT_MS = 120_000;
const AGENT_PORT = 9000;
/** Where servers in the guest listen; forwarded to free ports of this machine's loopback. */
export const GUEST_REST_PORT = 8000;
export const GUEST_WEBSOCKET_PORT = 8001;
const MEMORY_MB = 1024;
/** 2 ns for an instruction: one core of 500 MIPS, a third of one of a Raspberry Pi 4's four. */
const NS_PER_INSTRUCTION_SHIFT = 1;
export const NS_PER_INSTRUCTION = 2 ** NS_PER_INSTRUCTION_SHIFT;

export interface Forwarded {
  agent: number;
  rest: number;
  websocket: number;
}

function qemu(guest: Guest, image: Image, ports: Forwarded): string[] {
  const forward = (host: number, inside: number): string => `hostfwd=tcp:127.0.0.1:${host}-10.0.2.15:${inside}`;
  const forwards = [
    forward(ports.agent, AGENT_PORT),
    forward(ports.rest, GUEST_REST_PORT),
    forward(ports.websocket, GUEST_WEBSOCKET_PORT),
  ].join(",");
  const machine =
    guest.arch === "amd64"
      ? ["qemu-system-x86_64", "-append", "console=ttyS0 quiet panic=-1 tsc=unstable"]
      : ["qemu-system-aarch64", "-M", "virt", "-append", "console=ttyAMA0 quiet panic=-1"];
  // The guest's clock counts instructions, and jumps to what comes next when there is nothing to do: however busy
  // this machine is, the guest does not see it stall, and it waits for nothing. A machine with disks is not there for
  // its telephones' timing: it goes with our clock, on two cores, and is done in a third of the time.
  const clock = image.disks
    ? ["-accel", "tcg,thread=multi", "-smp", "2"]
    : ["-icount", `shift=${NS_PER_INSTRUCTION_SHIFT},sleep=off`, "-smp", "1"];
  return [
    ...machine,
    ...clock,
    ...["-cpu", guest.cpu, "-m", String(MEMORY_MB)],
    ...["-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio"],
    ...["-kernel", image.kernel, "-initrd", image.initramfs],
    ...(image.disks ?? []).flatMap((path, i) => [
      ...["-drive", `file=${path},format=raw,if=none,id=disk${i},cache=unsafe`],
      ...["-device", `virtio-blk-pci,drive=disk${i}`],
    ]),
    ...["-netdev", `user,id=net,restrict=on,${forwards}`, "-device", "virtio-net-pci,netdev=net,romfile="],
  ];
}

/** The agent's wire: see agent.c. Also used by test processes that did not boot the guest. */
export class Agent {
  constructor(private readonly port: number) {}

  #ask(verb: string, path: string, body: Uint8Array): Promise<{ status: number; bytes: Uint8Array }> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let unsent: Buffer = Buffer.concat([Buffer.from(`${verb} ${body.length} ${path}\n`), body]);
      const send = (socket: { write(bytes: Uint8Array): number }): void => {
        unsent = unsent.subarray(socket.write(unsent));
      };
      void Bun.connect({
        hostname: "127.0.0.1",
        port: this.port,
        socket: {
          open: send,
          drain: send,
          data: (_, bytes) => {
            chunks.push(Buffer.from(bytes));
          },
          close: () => {
            const whole = Buffer.concat(chunks);
            const end = whole.indexOf(10);
            const [status, length] = whole.subarray(0, Math.max(end, 0)).toString().split(" ").map(Number);
            const bytes = whole.subarray(end + 1);
            if (end < 0 || bytes.length !== length) reject(new Error(`the agent broke off: ${verb} ${path}`));
            else resolve({ status: status ?? -1, bytes });
          },
          error: (_, error) => reject(error),
          connectError: (_, error) => reject(error),
        },
      }).catch(reject);
    });
  }

  /** Exit code and output of a shell script. */
  async try(script: string): Promise<{ code: number; output: string }> {
    const { status, bytes } = await this.#ask("sh", "", new TextEncoder().encode(script));
    return { code: status, output: Buffer.from(bytes).toString() };
  }

  async sh(script: string): Promise<string> {
    const { code, output } = await this.try(script);
    if (code !== 0) throw new Error(`in the guest: ${script}\nended with ${code}: ${output}`);
    return output;
  }

  async put(path: string, body: Uint8Array | string): Promise<void> {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const { status } = await this.#ask("put", path, bytes);
    if (status !== 0) throw new Error(`in the guest: writing ${path}: errno ${status}`);
  }

  async get(path: string): Promise<Uint8Array> {
    const { status, bytes } = await this.#ask("get", path, new Uint8Array());
    if (status !== 0) throw new Error(`in the guest: reading ${path}: errno ${status}`);
    return bytes;
  }

  /** Settles when a script or a speech is done: when the file ends in the number 0. */
  async done(path: string): Promise<void> {
    const { status } = await this.#ask("wait", path, new Uint8Array());
    if (status !== 0) throw new Error(`in the guest: waiting for ${path}: errno ${status}`);
  }

  async text(path: string): Promise<string> {
    return Buffer.from(await this.get(path)).toString();
  }
}

export class RunningGuest implements AsyncDisposable {
  /** Of the last start. */
  bootSeconds = 0;

  private constructor(
    readonly guest: Guest,
    readonly agent: Agent,
    readonly ports: Forwarded,
    private child: Bun.Subprocess,
    private readonly start: () => Bun.Subprocess,
    private readonly logPath: string,
  ) {}

  /** name: of its log. */
  static async boot(guest: Guest, image: Image, name: string): Promise<RunningGuest> {
    const ports = { agent: await freePort(), rest: await freePort(), websocket: await freePort() };
    mkdirSync(join(RIG, "logs"), { recursive: true });
    const logPath = join(RIG, "logs", `${name.replace("/", "-")}.console.txt`);
    const start = (): Bun.Subprocess => {
      writeFileSync(logPath, "");
      return Bun.spawn(qemu(guest, image, ports), {
        stdin: "ignore",
        stdout: Bun.file(logPath),
        stderr: Bun.file(`${logPath}.err`),
      });
    };
    const running = new RunningGuest(guest, new Agent(ports.agent), ports, start(), start, logPath);
    await running.#up();
    return running;
  }

  /** Only of a guest with disks: the others have nothing that outlives it. */
  async reboot(): Promise<void> {
    await this.agent.try("systemctl reboot").catch(() => null);
    const late = setTimeout(() => this.child.kill("SIGKILL"), BOOT_LIMIT_MS);
    await this.child.exited;
    clearTimeout(late);
    this.child = this.start();
    await this.#up();
  }

  async #up(): Promise<void> {
    const startedAt = performance.now();
    const until = startedAt + BOOT_LIMIT_MS;
    for (;;) {
      const answer = await Promise.race([
        this.agent.try("echo up").catch(() => null),
        Bun.sleep(2000).then(() => null),
      ]);
      if (answer?.output === "up\n") break;
      if (this.child.exitCode !== null || performance.now() > until) {
        this.child.kill("SIGKILL");
        const console = await Bun.file(this.logPath).text();
        const said = await Bun.file(`${this.logPath}.err`).text();
        throw new Error(`the guest of ${this.logPath} did not come up:\n${console.slice(-3000)}${said}`);
      }
      await Bun.sleep(100);
    }
    this.bootSeconds = (performance.now() - startedAt) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.exited;
  }
}
