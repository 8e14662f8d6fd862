/** Rings until somebody lifts, then plays a tone: bun examples/ring_until_answered.ts */
const rest = process.argv[2] ?? "http://127.0.0.1:8000";
const socket = new WebSocket(`${rest.replace("http", "ws")}/ws?types=off_hook,ring_stop&line=1`);

socket.onerror = () => {
  console.error(`${rest} cannot be reached: is the server running? Try: make run`);
  process.exit(1);
};

socket.onopen = async () => {
  const answer = await fetch(`${rest}/lines/1/ring`, {
    method: "POST",
    body: JSON.stringify({ pattern: "DISTINCTIVE1", duration: 30_000 }),
  });
  console.log("ringing:", await answer.json());
};

socket.onmessage = async ({ data }) => {
  const event = JSON.parse(String(data)) as { type: string; reason?: string };
  if (event.type === "ring_stop" && event.reason !== "answered") {
    console.log("nobody answered");
    socket.close();
  }
  if (event.type === "off_hook") {
    const tone = { tone: "confirmation", duration: 2000 };
    await fetch(`${rest}/lines/1/generate-tone`, { method: "POST", body: JSON.stringify(tone) });
    console.log("answered");
    socket.close();
  }
};
