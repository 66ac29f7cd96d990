// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertInstanceOf, assertStringIncludes, assertThrows } from "@std/assert";
import type { Responder } from "../../lib/exchange/responder.ts";
import type { HttpResponse } from "../../lib/http/message.ts";
import { LISTENER_KINDS } from "../../lib/listener/listener_kind.ts";
import type { PortStatus } from "../../lib/listener/port.ts";
import { Log } from "../../lib/log/log.ts";
import { checkPort, ListenError, logPortChange, openPort } from "../../lib/process/listener.ts";
import { until } from "../support/condition.ts";
import { statusOf } from "../support/message_reader.ts";
import { RawClient } from "../support/raw_client.ts";

const unheld = (): never => {
  throw new Error("An exchange was held");
};

/** Responds with `text` to all requests. */
function saying(text: string): Responder {
  const body = new TextEncoder().encode(text);
  return {
    respond: () => ({ status: 200, headers: ["content-length", String(body.length)], body }),
    refuse: (_head, _client, { status }) => ({ status, headers: [], body: null }),
    // Without middleware no exchange is held.
    hold: unheld,
    release: unheld,
  };
}

async function ask(port: number, hostname = "127.0.0.1"): Promise<string> {
  return await (await fetch(`http://${hostname}:${port}/`)).text();
}

for (const kind of LISTENER_KINDS) {
  Deno.test(`Port.serve() hands what comes in from now on to another responder, on the same port, listener ${kind}`, async () => {
    const listener = openPort({ address: "127.0.0.1", port: 0, responder: saying("old") }, { kind });
    const { port } = listener.address;
    assertEquals(await ask(port), "old");
    listener.serve({ responder: saying("new") });
    assertEquals(await ask(port), "new");
    assertEquals(listener.status, {
      address: "127.0.0.1",
      port,
      listener: kind,
      open: true,
      closedAtMs: null,
      failingAtMs: null,
      reason: null,
      reopenings: 0,
    });
    await listener.shutdown();
    checkPort({ address: "127.0.0.1", port });
  });

  Deno.test(`openPort() without an address listens on both families, listener ${kind}`, async () => {
    const listener = openPort({ address: undefined, port: 0, responder: saying("here") }, { kind });
    const { port, hostname } = listener.address;
    assertEquals(await ask(port), "here");
    if (hostname === "::") assertEquals(await ask(port, "[::1]"), "here");
    await listener.shutdown();
  });

  Deno.test(`openPort() takes the port of its options before that of its listener, listener ${kind}`, async () => {
    const first = openPort({ address: "127.0.0.1", port: 0, responder: saying("first") }, { kind, shared: true });
    const { port } = first.address;
    const second = openPort({ address: "127.0.0.1", port: 0, responder: saying("second") }, {
      ...{ kind, shared: true, port },
    });
    assertEquals(second.address.port, port);
    await Promise.all([first.shutdown(), second.shutdown()]);
  });

  Deno.test(`openPort() and checkPort() say which port is in use, and what to do, listener ${kind}`, async () => {
    const taken = openPort({ address: "127.0.0.1", port: 0, responder: saying("taken") }, { kind });
    const place = { address: "127.0.0.1", port: taken.address.port, responder: saying("late") };
    for (const open of [() => openPort(place, { kind }), () => checkPort(place)]) {
      const error = assertThrows(open, ListenError);
      assertInstanceOf(error.cause, Deno.errors.AddrInUse);
      assertEquals(
        error.message,
        `Cannot listen on 127.0.0.1:${place.port}: the port is in use. Stop the program that has it, or choose another \`port\``,
      );
    }
    await taken.shutdown();
  });

  Deno.test(`openPort() says of an address of another machine that the key listen is to be looked at, listener ${kind}`, () => {
    const open = (address: string) => () => openPort({ address, port: 0, responder: saying("never") }, { kind });
    for (const [address, shown] of [["192.0.2.1", "192.0.2.1:0"], ["2001:db8::1", "[2001:db8::1]:0"]]) {
      const { message } = assertThrows(open(address), ListenError);
      assertStringIncludes(message, `Cannot listen on ${shown}: `);
      assertStringIncludes(message, "Check `listen` against the addresses of this machine");
    }
  });

  Deno.test(`A port ends in order: uploads end, and no other request is waited for before it closes, listener ${kind}`, async () => {
    const get = Promise.withResolvers<HttpResponse>();
    let getIsThere = false;
    let readBytes = 0;
    const responder: Responder = {
      ...saying(""),
      respond: ({ method }, { body }) => {
        if (method === "GET") {
          getIsThere = true;
          return get.promise;
        }
        return new Promise((resolve) => {
          body?.start({
            piece: (bytes) => {
              readBytes += bytes.length;
              body.pull();
            },
            end: () => resolve({ status: 204, headers: [], body: null }),
            fail: () => {},
          });
          body?.pull();
        });
      },
    };
    const listener = openPort({ address: "127.0.0.1", port: 0, responder }, { kind });
    const { port } = listener.address;
    using getter = await RawClient.connect(port);
    await getter.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await until("the GET is there", () => getIsThere);
    await listener.uploadsEnded();
    using poster = await RawClient.connect(port);
    await poster.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nh");
    await until("the upload is read", () => readBytes === 1);
    let ended = false;
    const uploads = listener.uploadsEnded();
    const ending = (listener.shutdownWaits ? listener.shutdown() : uploads).then(() => ended = true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(ended, false);
    await poster.send("i");
    if (!listener.shutdownWaits) await ending;
    assertEquals(statusOf(await poster.answer()), 204);
    get.resolve({ status: 204, headers: [], body: null });
    assertEquals(statusOf(await getter.answer()), 204);
    if (listener.shutdownWaits) await ending;
    poster.close();
    getter.close();
    if (!listener.shutdownWaits) await listener.shutdown();
  });
}

Deno.test("logPortChange() says why a port accepts nothing, what to do where handles ran out, and that it accepts again", async () => {
  let text = "";
  const log = new Log((bytes) => {
    text += new TextDecoder().decode(bytes);
    return Promise.resolve();
  });
  const open: PortStatus = {
    ...{ address: "127.0.0.1", port: 80, listener: "runtime", open: true, closedAtMs: null },
    ...{ failingAtMs: null, reason: null, reopenings: 0 },
  };
  const reason = "Too many open files (os error 24)";
  const closed = { ...open, open: false, closedAtMs: Date.now() - 50, reason };
  logPortChange(log, closed, open);
  logPortChange(log, { ...closed, reason: null }, open);
  logPortChange(log, { ...open, reopenings: 1 }, closed);
  const failing = { ...open, failingAtMs: Date.now() - 50, reason };
  logPortChange(log, failing, open);
  logPortChange(log, open, failing);
  await log.flush();
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level, message, cause, reopenings }) => [level, message, cause, reopenings]), [
    ["error", "port closed, it will be opened again", reason, undefined],
    ["error", "port closed, it will be opened again", "unknown", undefined],
    ["warn", "port is open again", undefined, 1],
    ["error", "port cannot accept connections", reason, undefined],
    ["warn", "port accepts connections again", undefined, undefined],
  ]);
  assertStringIncludes(lines[0].advice, "ulimit -n");
  assertEquals(lines[1].advice, undefined);
  assertEquals(lines[2].closed_ms >= 50, true);
  assertStringIncludes(lines[3].advice, "ulimit -n");
  assertEquals(lines[4].failed_ms >= 50, true);
});
