// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { type HelloReading, readClientHello } from "../../../lib/listener/tls/client_hello.ts";
import { seededRandom } from "../../contract/seeded_random.ts";
import { clientHello, type HelloOptions, inRecords } from "../../support/client_hello_bytes.ts";

function read(bytes: Uint8Array): HelloReading {
  return readClientHello(bytes, 0, bytes.length);
}

function readMessage(options: HelloOptions): HelloReading {
  return read(inRecords(clientHello(options)));
}

const FULL: HelloOptions = {
  serverName: "App.Example.Test",
  protocols: ["h2", "http/1.1"],
  versions: [0x0a0a, 0x0304, 0x0303],
};
const FULL_READ = { serverName: "app.example.test", protocols: ["h2", "http/1.1"], version: 0x0304 };

Deno.test("readClientHello() reads name, protocols and the highest version", () => {
  assertEquals(readMessage(FULL), FULL_READ);
});

Deno.test("readClientHello() reads a message without extensions as TLS 1.2 at the most", () => {
  assertEquals(readMessage({ extensions: undefined }), { serverName: "", protocols: [], version: 0x0303 });
  assertEquals(readMessage({ extensions: undefined, version: 0x0302 }), {
    serverName: "",
    protocols: [],
    version: 0x0302,
  });
  assertEquals(readMessage({ version: 0x0304 }), { serverName: "", protocols: [], version: 0x0303 });
});

Deno.test("readClientHello() asks for more bytes at each cut, in one record and in several", () => {
  const message = clientHello(FULL);
  for (const sizes of [[message.length], [1, 2, 8], [5, 100], [4, 50], [3, 10]]) {
    const bytes = inRecords(message, ...sizes);
    for (let end = 0; end < bytes.length; end++) {
      assertEquals(readClientHello(bytes, 0, end), undefined, `${sizes} ${end}`);
    }
    assertEquals(read(bytes), FULL_READ);
  }
});

Deno.test("readClientHello() reads from the middle of a buffer, and not what stands behind", () => {
  const bytes = inRecords(clientHello(FULL));
  const buffer = new Uint8Array(bytes.length + 20).fill(0xee);
  buffer.set(bytes, 7);
  assertEquals(readClientHello(buffer, 7, buffer.length), FULL_READ);
});

Deno.test("readClientHello() takes an address for no name, and a dot at the end for none", () => {
  assertEquals(readMessage({ serverName: "127.0.0.1" }), { serverName: "", protocols: [], version: 0x0303 });
  assertEquals(readMessage({ serverName: "a.test." }), { serverName: "a.test", protocols: [], version: 0x0303 });
});

Deno.test("readClientHello() tells HTTP in clear, at its first byte", () => {
  for (const text of ["G", "GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "post"]) {
    assertEquals(read(new TextEncoder().encode(text)), "clear_http");
  }
});

Deno.test("readClientHello() refuses what is not TLS, at its first bytes", () => {
  for (const bytes of [[0], [0x80, 0x2e, 1], [22, 2], [22, 3, 1, 0, 0], [23, 3, 3], [22, 3, 1, 0, 1, 2], [10, 13]]) {
    assertEquals(read(Uint8Array.from(bytes)), "malformed", String(bytes));
  }
});

Deno.test("readClientHello() refuses names that no host has", () => {
  for (
    const name of [
      "",
      "a b",
      "a/b",
      "a..b",
      ".a",
      "-a",
      "a:443",
      "ä.test",
      "a\0.test",
      "x".repeat(64),
      "a.".repeat(130) + "b",
    ]
  ) {
    assertEquals(readMessage({ serverName: name }), "malformed", name);
  }
});

Deno.test("readClientHello() refuses lengths that do not add up, and what stands twice", () => {
  const bad: HelloOptions[] = [
    { sessionId: new Uint8Array(33) },
    { suites: new Uint8Array(0) },
    { suites: new Uint8Array(3) },
    { compressions: new Uint8Array(0) },
    { extensions: [[0, Uint8Array.of(0, 4, 0, 0, 2, 97)]] },
    { extensions: [[0, Uint8Array.of(0, 4, 1, 0, 1, 97)]] },
    { extensions: [[0, Uint8Array.of(0, 8, 0, 0, 1, 97, 0, 0, 1, 98)]] },
    { extensions: [[16, Uint8Array.of(0, 1, 0)]] },
    { extensions: [[16, Uint8Array.of(0, 2, 2, 97)]] },
    { extensions: [[16, new Uint8Array(0)]] },
    { extensions: [[43, Uint8Array.of(3, 3, 4)]] },
    { extensions: [[43, Uint8Array.of(3, 3, 4, 3)]] },
    { extensions: [[10, new Uint8Array(2)], [10, new Uint8Array(2)]] },
    { trailing: Uint8Array.of(0) },
  ];
  for (const options of bad) assertEquals(readMessage(options), "malformed", JSON.stringify(options));
});

Deno.test("readClientHello() refuses another message behind it in its record", () => {
  assertEquals(read(inRecords(Uint8Array.of(...clientHello(FULL), 1, 0, 0, 0))), "malformed");
});

Deno.test("readClientHello() bounds the message and the number of its records", () => {
  assertEquals(readMessage({ extensions: [[21, new Uint8Array(17_000)]] }), "too_large");
  assertEquals(readMessage({ extensions: [[21, new Uint8Array(15_000)]] }) instanceof Object, true);
  assertEquals(read(Uint8Array.of(22, 3, 1, 0x40, 1)), "too_large");
  assertEquals(read(inRecords(clientHello(FULL), 1)), "too_large");
});

Deno.test("readClientHello() never throws, whatever it reads, and says the same of all cuts", () => {
  const random = seededRandom(7);
  const message = clientHello(FULL);
  const counts = { read: 0, refused: 0, incomplete: 0 };
  for (let i = 0; i < 20_000; i++) {
    const sizes = random() < 0.5 ? [message.length] : [1 + Math.floor(random() * 40), 200];
    const bytes = inRecords(message, ...sizes);
    for (let flips = Math.floor(random() * 4); flips > 0; flips--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const whole = read(bytes);
    if (whole === undefined) counts.incomplete++;
    else if (typeof whole === "string") counts.refused++;
    else counts.read++;
    const cut = readClientHello(bytes, 0, Math.floor(random() * bytes.length));
    // A cut is incomplete, or refused for what stands in front of it.
    if (cut !== undefined) assertEquals(cut, whole);
  }
  assert(counts.read > 1000 && counts.refused > 1000 && counts.incomplete > 100, JSON.stringify(counts));
});
