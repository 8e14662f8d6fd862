import { beforeAll, test, afterAll } from "bun:test";
import { GUESTS, type Guest } from "../rig/guests";
import { Machine, MINUTES_MS, ROOT } from "./machine";
import { outOfMemory } from "./out_of_memory";
let machine: Machine;
beforeAll(async () => {
  machine = await Machine.boot(GUESTS[0] as Guest, { "dahdi-phone-api": `${ROOT}/dist/dahdi-phone-api-linux-x64` });
  const said = await machine.sh("/payload/dahdi-phone-api install --with-token --listen=0.0.0.0");
  machine.token = /dpa_\S+/.exec(said)?.[0] ?? null;
  await machine.ready();
  console.log(await machine.sh("systemctl show dahdi-phone-api -p MemoryCurrent; cat /proc/$(systemctl show dahdi-phone-api -p MainPID --value)/status | grep -i rss"));
  console.log((await machine.exposure()).score);
}, 15 * MINUTES_MS);
outOfMemory((title, told) => test(title, told as () => Promise<void>, 300_000), () => machine);
afterAll(async () => {
  console.log(await machine.sh("dmesg | grep -i -E 'oom|memory' | tail -60; journalctl -u dahdi-phone-api --no-pager -o cat | tail -60").catch(String));
  await machine[Symbol.asyncDispose]();
});
