// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Responder } from "../../lib/exchange/responder.ts";
import { accepts, type PortStatus } from "../../lib/listener/port.ts";
import { SocketPort } from "../../lib/process/socket_port.ts";
import type { AcceptHandler, SocketDriver } from "../../lib/sockets/socket.ts";
import { socketDriver, useSocketDriver } from "../../lib/sockets/socket_driver.ts";
import { until } from "../support/condition.ts";

const NOBODY = {} as Responder;

/** A port whose listening socket fails when the test says so. */
class FailingPort implements Disposable {
  readonly changes: PortStatus[] = [];
  /** What `onHandlesOut` was told. */
  readonly handlesOut: boolean[] = [];
  retries = 0;
  readonly port: SocketPort;
  #handler: AcceptHandler | undefined;

  constructor() {
    const before = socketDriver();
    const driver: Pick<SocketDriver, "listen"> = {
      listen: ({ address, port }, handler) => {
        this.#handler = handler;
        return { address, port, retry: () => this.retries++, close() {} };
      },
    };
    useSocketDriver(driver as SocketDriver);
    this.port = new SocketPort({ responder: NOBODY }, {
      ...{ hostname: "127.0.0.1", port: 80, shared: false },
      onHandlesOut: (again) => this.handlesOut.push(again),
      onChange: (now) => this.changes.push(now),
    });
    useSocketDriver(before);
  }

  fail(message: string): void {
    this.#handler?.failed(new Error(message));
  }

  [Symbol.dispose](): void {
    this.port.abort();
  }
}

Deno.test("A port on which no connection can be accepted stays open, and is said to accept none until that is over", async () => {
  using failing = new FailingPort();
  const { port } = failing;
  assertEquals([accepts(port.status), port.status.listener], [true, "own"]);
  failing.fail("Too many open files (os error 24)");
  failing.fail("Too many open files (os error 24)");
  const { open, reason, failingAtMs } = port.status;
  assertEquals([open, reason, accepts(port.status)], [true, "Too many open files (os error 24)", false]);
  assertEquals(typeof failingAtMs, "number");
  assertEquals(failing.changes.length, 1);
  await until("it accepts again", () => accepts(port.status));
  assertEquals(failing.changes.map((status) => accepts(status)), [false, true]);
  assertEquals([port.status.reason, port.status.reopenings], [null, 0]);
});

Deno.test("Handles are asked for at each failure for want of them, and from the fourth in a row on more of them", () => {
  using failing = new FailingPort();
  failing.fail("Connection aborted (os error 103)");
  assertEquals(failing.handlesOut, []);
  for (let i = 0; i < 4; i++) failing.fail("Too many open files (os error 24)");
  assertEquals(failing.handlesOut, [false, false, false, true]);
});
