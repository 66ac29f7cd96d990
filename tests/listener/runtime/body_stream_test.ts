// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import type { BodySink, BodySource, Ownership } from "../../../lib/http/body.ts";
import { streamOf } from "../../../lib/listener/runtime/body_stream.ts";

const PIECE_BYTES = 64 * 1024;
const PIECES = 120;

/** A body of many pieces, within the pull or later; lent ones all lie in one buffer. */
class Pieces implements BodySource {
  readonly #ownership: Ownership;
  readonly #late: boolean;
  readonly #buffer = new Uint8Array(PIECE_BYTES);
  #sink: BodySink | undefined;
  #count = 0;

  constructor(ownership: Ownership, late: boolean) {
    this.#ownership = ownership;
    this.#late = late;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
  }

  pull(): void {
    if (this.#late) setTimeout(() => this.#deliver(), 0);
    else this.#deliver();
  }

  cancel(): void {}

  #deliver(): void {
    if (this.#count === PIECES) return this.#sink?.end();
    const piece = this.#ownership === "lent" ? this.#buffer : new Uint8Array(PIECE_BYTES);
    this.#sink?.piece(piece.fill(++this.#count), this.#ownership);
  }
}

/** Which numbers the pieces of a body hold, for a client that pauses. */
async function numbers(body: ReadableStream<Uint8Array>): Promise<number[]> {
  const found: number[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const before = bytes;
    bytes += chunk.length;
    for (let at = -before % PIECE_BYTES; at < chunk.length; at += PIECE_BYTES) if (at >= 0) found.push(chunk[at]);
    // Long enough for the server's buffers, in the system and in the runtime, to be full.
    if (before < 10 * PIECE_BYTES && bytes >= 10 * PIECE_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  assertEquals(bytes, PIECES * PIECE_BYTES);
  return found;
}

const ALL = Array.from({ length: PIECES }, (_, index) => index + 1);

for (const ownership of ["lent", "shared", "given"] as const) {
  for (const late of [false, true]) {
    const when = late ? "after the pull" : "within the pull";
    Deno.test(`pieces that are ${ownership} ${when} arrive at a client of the runtime's server`, async () => {
      const server = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(streamOf(new Pieces(ownership, late), true)),
      );
      const { body } = await fetch(`http://127.0.0.1:${server.addr.port}/`);
      assertEquals(await numbers(body as ReadableStream<Uint8Array>), ALL);
      await server.shutdown();
    });

    Deno.test(`pieces that are ${ownership} ${when} belong to the application that reads the stream`, async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of streamOf(new Pieces(ownership, late), false)) chunks.push(chunk);
      assertEquals(
        chunks.map((chunk) => [chunk.length, chunk[0], chunk[PIECE_BYTES - 1]]),
        ALL.map((n) => [PIECE_BYTES, n, n]),
      );
    });
  }
}

Deno.test("a body that fails breaks its stream, with text; one whose client left ends it", async () => {
  const failing = (reason: unknown): BodySource => ({
    start(sink) {
      queueMicrotask(() => sink.fail(reason));
    },
    pull() {},
    cancel() {},
  });
  const broken = streamOf(failing("cut short"), true).getReader();
  await assertRejects(() => broken.read().catch((reason) => Promise.reject(new Error(reason))), Error, "cut short");
  const left = streamOf(failing(new TransportFailure("client_left", "gone")), true).getReader();
  assertEquals((await left.read()).done, true);
});
