/** Memory runs out in the service's sandbox: stories of a machine that answers other machines, with a token. */
import { expect } from "bun:test";
import { connect, type Socket } from "node:net";
import { EventListener, type Json, request } from "../support/client";
import { FORM_TYPE, fileHead } from "../support/forms";
import { eventually } from "../support/server";
import type { Machine } from "./machine";

/** Enough to serve, and less than what clients may make it hold (8 MB of each sound on its way, 256 MiB of all). */
const MEMORY_MAX = "180M";
const FORMS = 30;
/** Of each form's file; with 8 MiB it would be refused. */
const FILE_BYTES = 7.5 * 1024 * 1024;
const BELL = "/sys/kernel/debug/vfxs/1/bell_log";
/** Says nothing, and takes all memory: what it sorts is a line without end. */
const GREEDY =
  '#!/bin/sh\ncase "$*" in *--voices*) echo " 5 en -- English en";; *) exec /payload/busybox sort /dev/zero;; esac\n';

const limit = (machine: Machine, bytes: string): Promise<string> =>
  machine.sh(`systemctl set-property --runtime dahdi-phone-api MemoryMax=${bytes} MemorySwapMax=0`);

/** One that is never ended: of an announcement, which waits for the options behind its sound. */
function unfinishedForm(machine: Machine, file: Uint8Array): Socket {
  const socket = connect({ port: machine.guest.ports.rest, host: "127.0.0.1" });
  // What is sent to a dead process comes back as one.
  socket.on("error", () => undefined);
  const begun = fileHead("audio");
  const head = [
    "POST /lines/1/announce HTTP/1.1",
    "Host: 127.0.0.1",
    `Authorization: Bearer ${machine.token}`,
    `Content-Type: ${FORM_TYPE}`,
    `Content-Length: ${begun.byteLength + file.byteLength + 1}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.write(begun);
  socket.write(file);
  return socket;
}

export function outOfMemory(story: (title: string, told: () => unknown) => void, it: () => Machine): void {
  const ask = (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${it().token}`, "content-type": "application/json" };
    return request(`http://127.0.0.1:${it().guest.ports.rest}${path}`, { ...init, headers });
  };
  const listen = (query: string) =>
    EventListener.open(`ws://127.0.0.1:${it().guest.ports.rest}/ws?token=${it().token}&${query}`);
  const bellIsOn = async (): Promise<boolean> =>
    (await it().sh(`cat ${BELL}`)).trim().split("\n").at(-1)?.endsWith(" 1") ?? false;

  story(
    "clients that fill its memory end it: the bell is silent, the log is whole, and it is there again",
    async () => {
      const machine = it();
      const events = await listen("line=1");
      await machine.sh("for state in 1 0; do echo $state > /sys/kernel/debug/vfxs/1/hook; sleep 1; done");
      await events.event("on_hook");
      const acknowledged = events.frames.slice();
      await eventually(
        async () => (await ask("/ready")).body.event_log as Json,
        ({ waiting_events }) => waiting_events === 0,
      );
      expect((await ask("/lines/1/ring", { method: "POST", body: '{"pattern":"CONTINUOUS"}' })).status).toBe(200);
      await eventually(bellIsOn, (on) => on);
      const pid = await machine.mainPid();
      await limit(machine, MEMORY_MAX);
      expect(await machine.mainPid()).toBe(pid);
      const file = new Uint8Array(FILE_BYTES);
      const forms = Array.from({ length: FORMS }, () => unfinishedForm(machine, file));
      await events.closed;
      for (const form of forms) form.destroy();
      await machine.anewAfter(pid);
      await limit(machine, "infinity");

      const log = await machine.sh("dmesg; journalctl -u dahdi-phone-api --no-pager -o cat");
      expect(log).toContain(`Memory cgroup out of memory: Killed process ${pid}`);
      // OOMPolicy=continue: systemd tells of the killer, and of a main process that was killed.
      expect(log).toContain("A process of this unit has been killed by the OOM killer");
      expect(log).toContain("Main process exited, code=killed, status=9/KILL");
      // By the kernel, which closed the line: before the next process was there to do it.
      const [silentNs, on] = ((await machine.sh(`tail -n 1 ${BELL}`)).trim().split(" ") as [string, string]).map(
        Number,
      );
      expect(on).toBe(0);
      expect(silentNs).toBeLessThan(Number(await machine.shown("ExecMainStartTimestampMonotonic")) * 1000);
      using later = await listen("line=1&since=0");
      await later.event("caught_up");
      const told = later.frames.filter(({ id }) => acknowledged.some((event) => event.id === id));
      expect(told).toEqual(acknowledged);
      expect(later.types()).toContain("gap");
      expect((await ask("/lines/1/ring", { method: "POST", body: "{}" })).status).toBe(200);
      expect((await ask("/lines/1/stop-ring", { method: "POST" })).status).toBe(200);
    },
  );

  story("a program that speaks and takes all memory is ended alone", async () => {
    const machine = it();
    await machine.guest.agent.put("/usr/local/bin/espeak-ng", GREEDY);
    await machine.sh("chmod 755 /usr/local/bin/espeak-ng");
    const pid = await machine.mainPid();
    expect(await machine.sh(`cat /proc/${pid}/oom_score_adj`)).toBe("-500\n");
    await limit(machine, MEMORY_MAX);
    const { status, body } = await ask("/lines/1/play-audio", { method: "POST", body: '{"say":"all of it"}' });
    await limit(machine, "infinity");
    expect([status, body.code]).toEqual([503, "speech_failed"]);
    expect(await machine.sh("dmesg")).toMatch(/Memory cgroup out of memory: Killed process \d+ \(busybox\)/);
    expect(await machine.mainPid()).toBe(pid);
    expect((await ask("/health")).status).toBe(200);
    await machine.sh("rm /usr/local/bin/espeak-ng");
  });
}
