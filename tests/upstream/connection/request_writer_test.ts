import { assertEquals, assertRejects } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import { Deadlines } from "../../../lib/upstream/connection/deadlines.ts";
import { RequestWriter } from "../../../lib/upstream/connection/request_writer.ts";

const LIMITS = { readTimeoutMs: 1000, writeTimeoutMs: 1000, clientTimeoutMs: 1000 };

/** A wire that takes `most` bytes at a time, and breaks after `breaksAfter` of them. */
function narrowWire(most: number, breaksAfter = Infinity) {
  const taken: number[] = [];
  return {
    taken,
    read: () => Promise.resolve(null),
    write: (bytes: Uint8Array) => {
      if (taken.length >= breaksAfter) return Promise.reject(new Error("broken"));
      const part = bytes.subarray(0, most);
      taken.push(...part);
      return Promise.resolve(part.length);
    },
    close: () => {},
  };
}

function writerTo(wire: ReturnType<typeof narrowWire>) {
  const broken: unknown[] = [];
  const deadlines = new Deadlines(new CoarseClock(), LIMITS);
  return { writer: new RequestWriter(wire, deadlines, (error) => broken.push(error)), broken, deadlines };
}

async function idle(writer: RequestWriter): Promise<void> {
  while (!writer.idle) await Promise.resolve();
}

Deno.test("RequestWriter.post() writes on until all is taken", async () => {
  const wire = narrowWire(3);
  const { writer, broken, deadlines } = writerTo(wire);
  writer.post("GET / HTTP/1.1\r\n\r\n");
  assertEquals(writer.idle, false);
  await idle(writer);
  assertEquals(String.fromCharCode(...wire.taken), "GET / HTTP/1.1\r\n\r\n");
  assertEquals([broken, deadlines.expired(1e9)], [[], undefined]);
});

Deno.test("RequestWriter.post() reports a wire that breaks, and is not idle then", async () => {
  const { writer, broken, deadlines } = writerTo(narrowWire(3, 6));
  writer.post("GET / HTTP/1.1\r\n\r\n");
  while (broken.length === 0) await Promise.resolve();
  assertEquals([(broken[0] as Error).message, writer.idle, deadlines.expired(1e9)], ["broken", false, undefined]);
});

Deno.test("RequestWriter.post() is bounded in time while a wire takes nothing", () => {
  const { writer, deadlines } = writerTo({ ...narrowWire(1), write: () => new Promise<number>(() => {}) });
  writer.post("GET / HTTP/1.1\r\n\r\n");
  assertEquals(deadlines.expired(1001)?.kind, "write_timeout");
});

Deno.test("RequestWriter writes a character of a head as a byte, and the body behind it", async () => {
  const wire = narrowWire(1000);
  const { writer } = writerTo(wire);
  await writer.sendHead("x: \u00e9\r\n\r\n", new Uint8Array([1, 2]));
  assertEquals(wire.taken, [0x78, 0x3a, 0x20, 0xe9, 13, 10, 13, 10, 1, 2]);
  const long = "x".repeat(5000) + "\u00ff";
  wire.taken.length = 0;
  await writer.sendHead(long);
  assertEquals([wire.taken.length, wire.taken.at(-1), wire.taken[0]], [5001, 0xff, 0x78]);
});

Deno.test("RequestWriter.send() throws what the wire throws", async () => {
  const { writer } = writerTo(narrowWire(2, 2));
  await assertRejects(() => writer.send(new Uint8Array(5)), Error, "broken");
});
