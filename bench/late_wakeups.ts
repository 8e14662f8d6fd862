/** How late this machine wakes who sleeps: a process that does nothing else. Its standard input's end ends it; prints ms. */
const PERIOD_MS = 2;
let lastMs = performance.now();
let worstMs = 0;
setInterval(() => {
  const nowMs = performance.now();
  worstMs = Math.max(worstMs, nowMs - lastMs - PERIOD_MS);
  lastMs = nowMs;
}, PERIOD_MS);
console.log("ready");
for await (const line of console) if (line === "anew") worstMs = 0;
console.log(worstMs);
process.exit();

export {};
