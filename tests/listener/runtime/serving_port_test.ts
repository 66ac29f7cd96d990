// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { TransportFailure } from "../../../lib/failure/failure.ts";
import { readWhole } from "../../../lib/http/body_reader.ts";
import type { PortStatus } from "../../../lib/listener/port.ts";
import { ServingPort, type ServingPortOptions } from "../../../lib/listener/runtime/serving_port.ts";
import { StreamSource } from "../../../lib/listener/runtime/stream_source.ts";
import { Uploads } from "../../../lib/listener/runtime/uploads.ts";
import { unseenWork } from "../../../lib/state/unseen_work.ts";
import { until, within } from "../../support/condition.ts";
import { freePort, portIsFree } from "../../support/port.ts";

/** A port that answers, and what became of it. */
class WatchedPort {
  readonly changes: PortStatus[] = [];
  readonly port: ServingPort;
  #changed = Promise.withResolvers<void>();

  constructor(options: Partial<Pick<ServingPortOptions, "handler" | "onHandlesOut">> = {}) {
    this.port = new ServingPort({
      // One that no connection of another test is given while it is closed.
      ...{ hostname: "127.0.0.1", port: freePort(), shared: false },
      handler: () => new Response("here"),
      ...options,
      onChange: (now) => {
        this.changes.push(now);
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      },
    });
  }

  /** The next change. */
  async change(): Promise<PortStatus> {
    await within(10_000, "a change of the port", this.#changed.promise);
    return this.changes[this.changes.length - 1];
  }

  async ask(): Promise<string> {
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    return await (await fetch(`http://127.0.0.1:${this.port.address.port}/`, { client })).text();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.port.shutdown();
  }
}

Deno.test("A port that ended is opened again with the same number, and counts as open after a second", async () => {
  await using watched = new WatchedPort();
  assertEquals(watched.port.status.open, true);
  const before = Date.now();
  watched.port.closeIdle();
  assertEquals(watched.changes.length, 1);
  const [closed] = watched.changes;
  assertEquals([closed.open, closed.port, closed.reopenings], [false, watched.port.address.port, 0]);
  assertStringIncludes(closed.reason ?? "", "idle connections");
  const open = await watched.change();
  assertEquals(open, {
    ...{ address: "127.0.0.1", port: watched.port.address.port, open: true },
    ...{ listener: "runtime", closedAtMs: null, failingAtMs: null, reason: null, reopenings: 1 },
  });
  assertEquals(Date.now() - before >= 1000, true);
  assertEquals(await watched.ask(), "here");
});

Deno.test("A port that is open may have work for the runtime of which nobody is told, and none once it is closed", async () => {
  const before = unseenWork.pending;
  const watched = new WatchedPort();
  assertEquals(unseenWork.pending, before + 1);
  await watched.port.shutdown();
  await until("the server has ended", () => unseenWork.pending === before);
});

Deno.test("A port that cannot be opened again is tried with growing pauses, and logged once", async () => {
  const serve = Deno.serve;
  const triedMs: number[] = [];
  await using watched = new WatchedPort();
  const failing = () => {
    triedMs.push(performance.now());
    if (triedMs.length === 5) Object.assign(Deno, { serve });
    throw new Deno.errors.AddrInUse("Address already in use");
  };
  Object.assign(Deno, { serve: failing });
  try {
    watched.port.closeIdle();
    const open = await watched.change();
    assertEquals([open.open, open.reopenings], [true, 1]);
  } finally {
    Object.assign(Deno, { serve });
  }
  // Two changes, whatever the number of tries.
  assertEquals(watched.changes.map(({ open }) => open), [false, true]);
  assertEquals(triedMs.length, 5);
  const pauses = triedMs.slice(1).map((ms, index) => ms - triedMs[index]);
  // A busy machine makes a pause longer, never shorter.
  for (const [index, leastMs] of [20, 40, 80, 160].entries()) assertEquals(pauses[index] >= leastMs - 1, true);
});

Deno.test("A port that cannot be opened again for lack of file handles asks for some each time, later of all", async () => {
  const serve = Deno.serve;
  const asked: boolean[] = [];
  await using watched = new WatchedPort({ onHandlesOut: (again) => void asked.push(again) });
  let tries = 0;
  Object.assign(Deno, {
    serve: () => {
      if (++tries === 5) Object.assign(Deno, { serve });
      throw new Error("Too many open files (os error 24)");
    },
  });
  try {
    watched.port.closeIdle();
    await watched.change();
  } finally {
    Object.assign(Deno, { serve });
  }
  assertEquals(asked, [false, false, false, true, true]);
});

Deno.test("A port that ends again and again is opened with growing pauses, though idle connections are closed", async () => {
  const serve = Deno.serve;
  const openedMs: number[] = [];
  const asked: boolean[] = [];
  await using watched = new WatchedPort({
    onHandlesOut: (again) => {
      asked.push(again);
      // As when idle connections of all ports are given up.
      if (again) watched.port.closeIdle();
    },
  });
  Object.assign(Deno, {
    serve: () => {
      openedMs.push(performance.now());
      if (openedMs.length === 7) {
        Object.assign(Deno, { serve });
        throw new Deno.errors.AddrInUse("Address already in use");
      }
      const finished = Promise.reject(new Error("Too many open files (os error 24)"));
      return { addr: watched.port.address, finished, shutdown: () => Promise.resolve() };
    },
  });
  try {
    watched.port.closeIdle();
    await watched.change();
  } finally {
    Object.assign(Deno, { serve });
  }
  assertEquals(asked, [false, false, false, true, true, true]);
  const pauses = openedMs.slice(1).map((ms, index) => ms - openedMs[index]);
  for (const [index, leastMs] of [20, 40, 80, 160, 320, 640].entries()) {
    assertEquals(pauses[index] >= leastMs - 1, true, `pause ${index}: ${pauses[index]}`);
  }
});

Deno.test("The status of a port gives the reason why it is closed", async () => {
  const serve = Deno.serve;
  await using watched = new WatchedPort();
  const tried = Promise.withResolvers<void>();
  Object.assign(Deno, {
    serve: () => {
      queueMicrotask(tried.resolve);
      throw new Deno.errors.AddrInUse("Address already in use");
    },
  });
  try {
    watched.port.closeIdle();
    await tried.promise;
    assertEquals(watched.port.status.reason, "Address already in use");
  } finally {
    Object.assign(Deno, { serve });
  }
});

Deno.test("Idle connections of a port are closed, and so are those without a whole head", async () => {
  await using watched = new WatchedPort();
  const { port } = watched.port.address;
  const idle = await Deno.connect({ hostname: "127.0.0.1", port });
  const half = await Deno.connect({ hostname: "127.0.0.1", port });
  await half.write(new TextEncoder().encode("GET / HT"));
  await idle.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  const buffer = new Uint8Array(1000);
  assertEquals((await idle.read(buffer) ?? 0) > 0, true);
  watched.port.closeIdle();
  assertEquals(await within(10_000, "the idle connection's end", idle.read(buffer)), null);
  assertEquals(await within(10_000, "the half request's end", half.read(buffer)), null);
  idle.close();
  half.close();
});

/** A port with an upload that never ends. */
class UploadingPort {
  readonly #arrived = Promise.withResolvers<void>();
  readonly #broken = Promise.withResolvers<unknown>();
  readonly watched = new WatchedPort({
    handler: async ({ body }, _info, uploads) => {
      const source = new StreamSource(body as ReadableStream<Uint8Array<ArrayBuffer>>, "given", uploads);
      this.#arrived.resolve();
      await readWhole(source).catch((error) => this.#broken.resolve(error));
      return new Response("late", { status: 503 });
    },
  });
  readonly #client = Deno.connect({ hostname: "127.0.0.1", port: this.watched.port.address.port });

  async begin(): Promise<void> {
    const head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc";
    await (await this.#client).write(new TextEncoder().encode(head));
    await within(10_000, "the upload's begin", this.#arrived.promise);
  }

  /** Why the body broke; undefined when the port has not told. */
  async broken(): Promise<string | undefined> {
    const error = await within(10_000, "the upload's end", this.#broken.promise);
    return error instanceof TransportFailure && error.kind === "dropped" ? error.message : undefined;
  }

  async leave(): Promise<void> {
    (await this.#client).close();
  }
}

Deno.test("Uploads hold up the closing of idle connections for two seconds at the most, and are notified why they break", async () => {
  const uploading = new UploadingPort();
  await uploading.begin();
  const { port } = uploading.watched;
  const idle = await Deno.connect({ hostname: "127.0.0.1", port: port.address.port });
  const before = Date.now();
  port.closeIdle();
  assertEquals(await within(10_000, "the idle connection's end", idle.read(new Uint8Array(1))), null);
  idle.close();
  assertEquals(Date.now() - before >= 1999, true);
  assertEquals(
    await uploading.broken(),
    "The port was closed while the body was arriving: file handles had run out",
  );
  await uploading.leave();
  await port.shutdown();
});

Deno.test("An upload is notified when the shutdown of its port breaks it, and not when its client leaves", async () => {
  const cut = new UploadingPort();
  await cut.begin();
  const over = cut.watched.port.shutdown();
  assertEquals(await cut.broken(), "The port was closed while the body was arriving");
  await cut.leave();
  await over;
  const left = new UploadingPort();
  await left.begin();
  await left.leave();
  assertEquals(await left.broken(), undefined);
  await left.watched.port.shutdown();
});

Deno.test("An upload is over once its body has been read, or is not wanted any more", async () => {
  const uploads = new Uploads();
  const sourceOf = () => new StreamSource(new Blob(["body"]).stream(), "given", uploads);
  const [read, cancelled] = [sourceOf(), sourceOf()];
  let over = false;
  const ended = uploads.ended().then(() => over = true);
  await readWhole(read);
  assertEquals(over, false);
  cancelled.cancel("not wanted");
  await ended;
  await uploads.ended();
});

Deno.test("A port that is shut down while it is closed stays closed", async () => {
  const watched = new WatchedPort();
  watched.port.closeIdle();
  await watched.port.shutdown();
  const { port } = watched.port.address;
  // It would stay in use otherwise. The runtime lets go of a port some time after it was told to.
  await until("the port is free", () => portIsFree(port));
  assertEquals(watched.changes.length, 1);
});

Deno.test("A port that has ended and was opened again can be aborted, whichever it is", async () => {
  for (const waits of [false, true]) {
    const watched = new WatchedPort();
    watched.port.closeIdle();
    if (waits) await watched.change();
    await watched.port.abort();
    // The runtime lets go of a port some time after it was told to.
    await until("the port is free", () => portIsFree(watched.port.address.port));
  }
});
