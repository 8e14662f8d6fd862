/** Voice bots' languages, byte for byte. */
import { describe, expect, test } from "bun:test";
import { SAMPLE_FORMATS } from "../../../src/audio/sample_format";
import { audioSocketDialect } from "../../../src/streams/audiosocket_dialect";
import type { Wire } from "../../../src/streams/dialect";
import { twilioDialect } from "../../../src/streams/twilio_dialect";
import { twilioSignature } from "../../../src/streams/twilio_signature";
import { noise } from "../../support/stepped";

const ID = "019c08f12a407c3e9b1d5f2e8a7c4d10";
const ACCOUNT = `AC${"12".repeat(16)}`;
const silence = new Int16Array(160);
const said = (wire: Wire | null): unknown => JSON.parse(wire as string);

describe("twilio", () => {
  const dialect = () => twilioDialect({ accountSid: ACCOUNT, id: ID, customParameters: { language: "de" } });

  test("a whole stream, in the order and with the numbers of Twilio's description", () => {
    const stream = dialect();
    expect(stream.begin().map(said)).toEqual([
      { event: "connected", protocol: "Call", version: "1.0.0" },
      {
        event: "start",
        sequenceNumber: "1",
        start: {
          accountSid: ACCOUNT,
          streamSid: `MZ${ID}`,
          callSid: `CA${ID}`,
          tracks: ["inbound"],
          mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8000, channels: 1 },
          customParameters: { language: "de" },
        },
        streamSid: `MZ${ID}`,
      },
    ]);
    const media = (sequenceNumber: string, chunk: string, timestamp: string) => ({
      event: "media",
      sequenceNumber,
      media: { track: "inbound", chunk, timestamp, payload: `${"/".repeat(213)}w==` },
      streamSid: `MZ${ID}`,
    });
    // 160 bytes of µ-law silence, 0xFF each.
    expect(said(stream.audio(silence, 0))).toEqual(media("2", "1", "20"));
    expect(said(stream.audio(silence, 0))).toEqual(media("3", "2", "40"));
    expect(said(stream.digit("#"))).toEqual({
      event: "dtmf",
      sequenceNumber: "4",
      dtmf: { track: "inbound_track", digit: "#" },
      streamSid: `MZ${ID}`,
    });
    expect(said(stream.mark("m1"))).toEqual({
      event: "mark",
      sequenceNumber: "5",
      mark: { name: "m1" },
      streamSid: `MZ${ID}`,
    });
    // Three blocks are lost before it: the chunk is the next, its time is not.
    expect(said(stream.audio(silence, 3))).toEqual(media("6", "3", "120"));
    expect(said(stream.end())).toEqual({
      event: "stop",
      sequenceNumber: "7",
      stop: { accountSid: ACCOUNT, callSid: `CA${ID}` },
      streamSid: `MZ${ID}`,
    });
  });

  test("sound survives: what is said is what a bot decodes, and what it says is what is heard", () => {
    const { mulaw } = SAMPLE_FORMATS;
    const samples = noise(160, 5, 20_000);
    const { media } = said(dialect().audio(samples, 0)) as { media: { payload: string } };
    const payload = Buffer.from(media.payload, "base64");
    expect(payload.length).toBe(160);
    expect(mulaw.decode(payload)).toEqual(mulaw.decode(mulaw.encode(samples)));
    const [heard] = dialect().receive(JSON.stringify({ event: "media", media: { payload: media.payload } }));
    expect(heard).toEqual({ kind: "audio", samples: mulaw.decode(payload) });
  });

  test("media of any length, mark and clear are understood; events that it need not know are passed over", () => {
    const heard = (message: unknown) => dialect().receive(JSON.stringify(message));
    const media = (bytes: number) => ({
      event: "media",
      media: { payload: Buffer.alloc(bytes).toString("base64") },
    });
    for (const bytes of [0, 1, 161, 80_000]) {
      expect(heard(media(bytes))).toEqual([{ kind: "audio", samples: new Int16Array(bytes).fill(-32_124) }]);
    }
    expect(heard({ event: "mark", streamSid: "MZ", mark: { name: "m" } })).toEqual([{ kind: "mark", name: "m" }]);
    expect(heard({ event: "clear" })).toEqual([{ kind: "clear" }]);
    expect(heard({ event: "connected" })).toEqual([]);
  });

  test.each([
    "",
    "hello",
    "null",
    "[]",
    "7",
    "{}",
    '{"event":7}',
    '{"event":"media"}',
    '{"event":"media","media":7}',
    '{"event":"media","media":{"payload":7}}',
    '{"event":"media","media":{"payload":"%%"}}',
    '{"event":"mark"}',
    '{"event":"mark","mark":null}',
    `{"event":"mark","mark":{"name":"${"x".repeat(257)}"}}`,
    new Uint8Array([1, 2, 3]),
  ])("garbage is an error with a reason: %p", (garbage) => {
    const [message] = dialect().receive(garbage);
    expect(message).toEqual({ kind: "error", detail: expect.stringMatching(/^sent /) });
  });

  test("the signature is Twilio's: their documentation's example", () => {
    // What is signed there: the URL, then each POSTed name and value. A WebSocket POSTs none.
    const url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const posted = "CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212";
    expect(twilioSignature("12345", url + posted)).toBe("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  });
});

describe("audiosocket", () => {
  const hex = (wire: Wire | null): string => (wire as Uint8Array).toHex();

  test("frames: the UUID first, sound, digits, hanging up", () => {
    const dialect = audioSocketDialect(ID);
    expect(dialect.begin().map(hex)).toEqual([`010010${ID}`]);
    expect(hex(dialect.audio(Int16Array.of(1, -2), 0))).toBe("1000040100feff");
    expect(hex(dialect.audio(silence, 0))).toBe(`100140${"00".repeat(320)}`);
    expect(hex(dialect.audio(Int16Array.of(1, -2), 2))).toBe(`${"10000400000000".repeat(2)}1000040100feff`);
    expect(hex(dialect.digit("#"))).toBe("03000123");
    expect(hex(dialect.end())).toBe("000000");
    expect(dialect.mark("m")).toBeNull();
  });

  test("a stream is understood in whatever pieces it comes", () => {
    const samples = noise(400, 2);
    const stream = Buffer.concat([
      Buffer.from(`010010${ID}`, "hex"),
      Buffer.from([0x10, 800 >> 8, 800 & 0xff]),
      Buffer.from(samples.buffer),
      Buffer.from("120002aaaa", "hex"), // 16 kHz sound: not ours
      Buffer.from("4200037f7f7f", "hex"), // a type that nobody knows
      Buffer.from("100000", "hex"),
      Buffer.from("ff000104", "hex"),
      Buffer.from("000000", "hex"),
    ]);
    const expected = [
      { kind: "audio", samples },
      { kind: "audio", samples: new Int16Array(0) },
      { kind: "error", detail: "told an error of its own (4)" },
      { kind: "hang_up" },
    ];
    for (const pieceBytes of [1, 2, 3, 7, 320, stream.length]) {
      const dialect = audioSocketDialect(ID);
      const messages = [];
      for (let at = 0; at < stream.length; at += pieceBytes) {
        messages.push(...dialect.receive(new Uint8Array(stream.subarray(at, at + pieceBytes))));
      }
      expect(messages as unknown[]).toEqual(expected);
    }
  });

  test("the longest frame there is, and half a sample", () => {
    const longest = new Uint8Array(3 + 65_534);
    longest.set([0x10, 0xff, 0xfe]);
    expect(audioSocketDialect(ID).receive(longest)).toEqual([{ kind: "audio", samples: new Int16Array(32_767) }]);
    expect(audioSocketDialect(ID).receive(new Uint8Array([0x10, 0, 1, 9]))).toEqual([
      { kind: "error", detail: "sent 1 bytes of sound, where a sample has two" },
    ]);
  });
});
