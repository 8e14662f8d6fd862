/**
 * Runs in a network namespace of its own, where every address of 2001:db8::/32 is this machine's: asks a server from as
 * many addresses as are named, and prints how many requests of each kind were answered how.
 */
import { request } from "node:http";
import { startConfigured } from "./configured";

/** Of each: an address with {i} in it. */
const [burst = "10", ...kinds] = process.argv.slice(2);
const EACH = 60;

await using server = await startConfigured(
  "server: { host: '::' }\nsecurity: { allow_unauthenticated: true }\n" +
    `api: { rate_limit: { requests_per_second: 1, burst: ${burst} } }\n`,
);
const { port } = new URL(server.rest);

function ask(localAddress: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const asked = request(
    { host: "2001:db8:ffff::1", port, path: "/status", localAddress, family: 6, agent: false },
    (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    },
  );
  asked.on("error", reject);
  asked.end();
  return promise;
}

const admitted: Record<string, number> = {};
for (const kind of kinds) {
  admitted[kind] = 0;
  for (let i = 1; i <= EACH; i++) {
    if ((await ask(kind.replace("{i}", i.toString(16)))) === 200) admitted[kind]++;
  }
}
console.log(JSON.stringify(admitted));
