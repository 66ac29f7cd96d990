/**
 * Large files over the own listener, by each driver: read, or sent by the system.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import { Generation } from "../../../lib/generation/generation.ts";
import type { ListenerLimits } from "../../../lib/listener/own/limits_schema.ts";
import { SocketListener } from "../../../lib/listener/own/socket_listener.ts";
import { Log } from "../../../lib/log/log.ts";
import { runtimeDriver } from "../../../lib/sockets/runtime_driver.ts";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { until, within } from "../../support/condition.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import type { FaultySystemCalls } from "../../support/faulty_system_calls.ts";
import { header, type ReceivedMessage, statusOf } from "../../support/message_reader.ts";
import { checkNumberedBytes, numberedBytes } from "../../support/numbered_bytes.ts";
import { get, head, RawClient } from "../../support/raw_client.ts";
import { configOf } from "../../support/running_proxy.ts";
import { allClosed, SiteFolder } from "../../handlers/files/site_folder.ts";

const MIB = 1 << 20;
/** More than the system takes for a client that takes nothing. */
const BIG = 24 * MIB + 123;

let calls: FaultySystemCalls | undefined;
const drivers: SocketDriver[] = [runtimeDriver];
if (epollWorks) {
  const support = await import("../../support/epoll_driver.ts");
  drivers.push(support.epollDriver);
  calls = support.faultyCalls;
}

for (const driver of drivers) {
  const test = (what: string, fn: (serving: Serving) => Promise<void>, limits: Partial<ListenerLimits> = {}) => {
    Deno.test(`SocketListener over ${driver.name} serves large files: ${what}`, async () => {
      await using serving = await Serving.open(driver, limits);
      await fn(serving);
    });
  };

  test("whole, and nothing for HEAD and 304", async (serving) => {
    using client = await RawClient.connect(serving.port);
    // More than once: the second request finds the file open.
    for (let i = 0; i < 3; i++) {
      await client.send(get("/big.bin"));
      const answer = await client.answer();
      assertEquals(header(answer, "content-length"), String(BIG));
      checkWhole(answer, 0, BIG);
      await client.send(head("/big.bin") + get("/big.bin", `If-None-Match: ${header(answer, "etag")}\r\n`));
      const [asked, unchanged] = [await client.answer("HEAD"), await client.answer()];
      assertEquals([statusOf(asked), header(asked, "content-length")], [200, String(BIG)]);
      assertEquals([statusOf(unchanged), unchanged.body.length], [304, 0]);
    }
    await until("all are logged", () => serving.accessLines().length === 9);
    assertEquals(serving.accessLines().map(({ bytes }) => bytes), [BIG, 0, 0, BIG, 0, 0, BIG, 0, 0]);
  });

  test("each range from its place, and several in one body", async (serving) => {
    using client = await RawClient.connect(serving.port);
    for (const [start, end] of [[0, 1], [300_000, 2 * MIB], [BIG - 5, BIG]]) {
      await client.send(get("/big.bin", `Range: bytes=${start}-${end - 1}\r\n`));
      const answer = await client.answer();
      assertEquals([statusOf(answer), header(answer, "content-range")], [206, `bytes ${start}-${end - 1}/${BIG}`]);
      checkWhole(answer, start, end);
    }
    await client.send(get("/big.bin", "Range: bytes=2000000-2999999,100-199\r\n"));
    const { body, whole } = await client.answer();
    assert(whole);
    const first = indexOfEmptyLine(body) + 4;
    checkNumberedBytes(body, first, first + 1_000_000, 2_000_000);
    const second = indexOfEmptyLine(body.subarray(first + 1_000_000)) + first + 1_000_000 + 4;
    checkNumberedBytes(body, second, second + 100, 100);
  });

  test("pipelined, in their order", async (serving) => {
    using client = await RawClient.connect(serving.port);
    await client.send(
      get("/big.bin", "Range: bytes=0-1999999\r\n") + get("/small.txt") +
        get("/big.bin", "Range: bytes=5000000-5999999\r\n") + get("/none.txt"),
    );
    checkWhole(await client.answer(), 0, 2_000_000);
    assertEquals((await client.answer()).body.length, 5);
    checkWhole(await client.answer(), 5_000_000, 6_000_000);
    assertEquals(statusOf(await client.answer()), 404);
  });

  test("to a client of HTTP/1.0, up to the end of the connection", async (serving) => {
    using client = await RawClient.connect(serving.port);
    await client.send("GET /big.bin HTTP/1.0\r\nHost: site.test\r\n\r\n");
    checkWhole(await client.answer(), 0, BIG);
    await within(5000, "the end of the connection", client.reader.end());
  });

  test("to a client that is slow, and to others meanwhile", async (serving) => {
    using slow = await RawClient.connect(serving.port);
    await slow.send(get("/big.bin"));
    await until("it is being sent", () => serving.generation.underWay === 1);
    using other = await RawClient.connect(serving.port);
    await other.send(get("/big.bin", "Range: bytes=10-2000009\r\n"));
    checkWhole(await other.answer(), 10, 2_000_010);
    await until("the other exchange is over", () => serving.generation.underWay === 1);
    checkWhole(await slow.answer(), 0, BIG);
  });

  test("to nobody once the client has left, and closes the file", async (serving) => {
    const client = await RawClient.connect(serving.port);
    await client.send(get("/big.bin"));
    await client.reader.head();
    client.close();
    await until("the exchange is over", () => serving.generation.underWay === 0);
    await until("it is logged", () => serving.accessLines().length === 1);
    const [{ status, bytes }] = serving.accessLines();
    assertEquals(status, 499);
    assert(bytes < BIG, `${bytes} bytes are counted`);
    serving.generation.close();
    await allClosed(serving.site);
  });

  test("not to a client that takes nothing for too long", async (serving) => {
    using client = await RawClient.connect(serving.port);
    await client.send(get("/big.bin"));
    await until("it is being sent", () => serving.generation.underWay === 1);
    await until("the connection is cut", () => serving.listener.connections === 0, 10_000);
    const answer = await client.reader.answer("GET").catch(() => undefined);
    assert(answer?.whole !== true);
  }, { write_timeout: 500 });

  test("a file that becomes shorter meanwhile is not passed off as whole", async (serving) => {
    using client = await RawClient.connect(serving.port);
    await client.send(get("/big.bin"));
    const answer = await client.reader.head() as ReceivedMessage;
    await Deno.truncate(`${serving.site.root}/big.bin`, 20 * MIB);
    await client.reader.body(answer, { closeEnds: false }).catch(() => {});
    assertEquals(answer.whole, false);
    assert(answer.body.length <= 20 * MIB);
    checkNumberedBytes(answer.body, 0, answer.body.length, 0);
  });

  test("a file that is written again meanwhile is not passed off as whole", async (serving) => {
    using client = await RawClient.connect(serving.port);
    await client.send(get("/big.bin"));
    const answer = await client.reader.head() as ReceivedMessage;
    using file = await Deno.open(`${serving.site.root}/big.bin`, { write: true });
    await file.seek(BIG - 10, Deno.SeekMode.Start);
    await file.write(new Uint8Array(10));
    await client.reader.body(answer, { closeEnds: false }).catch(() => {});
    assertEquals(answer.whole, false);
  });

  test("a file that is replaced is sent in its new state, though it was kept open", async (serving) => {
    using client = await RawClient.connect(serving.port);
    for (const size of [3 * MIB, 2 * MIB, 4 * MIB]) {
      await serving.site.write("new.tmp", numberedBytes(size, size));
      await Deno.rename(`${serving.site.root}/new.tmp`, `${serving.site.root}/big.bin`);
      // At most this long, a page is believed.
      await until("it is sent", async () => {
        await client.send(get("/big.bin"));
        const answer = await client.answer();
        assert(answer.whole);
        if (answer.body.length !== size) return false;
        checkNumberedBytes(answer.body, 0, size, size);
        return true;
      });
    }
  });

  if (calls !== undefined && driver !== runtimeDriver) {
    const EINVAL = 22;
    test("read, where the system cannot send them", async (serving) => {
      using client = await RawClient.connect(serving.port);
      for (const sentBefore of [0, 1, 3]) {
        let count = 0;
        (calls as FaultySystemCalls).fault = (name) => {
          return name === "sendFile" && count++ >= sentBefore ? -EINVAL : undefined;
        };
        await client.send(get("/big.bin"));
        const answer = await client.answer();
        (calls as FaultySystemCalls).clear();
        assert(count > sentBefore);
        checkWhole(answer, 0, BIG);
      }
    });
  }
}

/** The own listener in front of a folder of files. */
class Serving {
  readonly site: SiteFolder;
  readonly generation: Generation;
  readonly listener: SocketListener;
  #log = "";

  private constructor(site: SiteFolder, driver: SocketDriver, limits: Partial<ListenerLimits>) {
    this.site = site;
    const proxy = {
      upstreams: [{ name: "app", url: "http://127.0.0.1:9" }],
      routes: [{ path: "/x", upstream: "app" }],
    };
    const { config } = resolveConfig(configOf({ upstreams: [], site: { static_dir: site.root }, proxy }));
    const log = new Log((bytes) => {
      this.#log += new TextDecoder().decode(bytes);
      return Promise.resolve();
    });
    this.generation = new Generation(config, { log });
    this.listener = new SocketListener(this.generation.listeners[0], { driver, limits });
  }

  static async open(driver: SocketDriver, limits: Partial<ListenerLimits>): Promise<Serving> {
    const site = await SiteFolder.make({ "big.bin": numberedBytes(0, BIG), "small.txt": "small" });
    return new Serving(site, driver, limits);
  }

  get port(): number {
    return this.listener.address.port;
  }

  accessLines(): { status: number; bytes: number }[] {
    return this.#log.split("\n").filter((line) => line.includes('"method"')).map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await until("no exchange is under way", () => this.generation.underWay === 0);
    } finally {
      this.listener.abort();
      this.generation.close();
      await until("no connection is open", () => this.listener.connections === 0);
      await allClosed(this.site);
      await this.site[Symbol.asyncDispose]();
    }
  }
}

function checkWhole({ body, whole }: ReceivedMessage, start: number, end: number): void {
  assertEquals([whole, body.length], [true, end - start]);
  checkNumberedBytes(body, 0, body.length, start);
}

function indexOfEmptyLine(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  }
  return -1;
}
