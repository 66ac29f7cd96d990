// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { RuntimeListener } from "../../lib/sockets/runtime_listener.ts";
import { until } from "../support/condition.ts";

/**
 * Makes `Deno.listen` give a listener whose accepts fail; `calls` are the times at which it was asked to accept.
 *
 * @param failures How many fail; those behind them wait for ever.
 */
function failingListener(code = "EMFILE", failures = Infinity) {
  const before = Deno.listen;
  const calls: number[] = [];
  let closed = false;
  Deno.listen = (() => ({
    addr: { hostname: "127.0.0.1", port: 1, transport: "tcp" },
    accept() {
      calls.push(performance.now());
      if (calls.length > failures) return new Promise(() => {});
      return Promise.reject(Object.assign(new Error(`It failed with ${code}`), { code }));
    },
    close: () => closed = true,
  })) as unknown as typeof Deno.listen;
  return {
    calls,
    closed: () => closed,
    [Symbol.dispose]: () => void (Deno.listen = before),
  };
}

Deno.test("RuntimeListener pauses longer after each failure in a row, up to a second", async () => {
  using failing = failingListener();
  const failures: Error[] = [];
  const listener = new RuntimeListener({ address: "127.0.0.1", port: 1, shared: false }, {
    accepted() {},
    failed: (error) => failures.push(error),
  });
  await until("several accepts have failed", () => failing.calls.length >= 6);
  const pauses = failing.calls.slice(1, 6).map((at, i) => at - failing.calls[i]);
  // Timers never fire early by more than their resolution.
  for (const [i, pause] of pauses.entries()) assert(pause >= 10 * 2 ** i - 2, `${pauses}`);
  await until("each failure is reported", () => failures.length === failing.calls.length);
  listener.close();
  assertEquals(failing.closed(), true);
});

Deno.test("RuntimeListener.retry() accepts again at once, and only during a pause", async () => {
  using failing = failingListener();
  const listener = new RuntimeListener({ address: "127.0.0.1", port: 1, shared: false }, {
    accepted() {},
    failed() {},
  });
  listener.retry();
  assertEquals(failing.calls.length, 1);
  for (let i = 2; i < 12; i++) {
    // The rejection is handled in between.
    await Promise.resolve();
    await Promise.resolve();
    listener.retry();
    listener.retry();
    assertEquals(failing.calls.length, i);
  }
  // The sanitizer of the test runner fails this test if the pause goes on.
  listener.close();
  listener.close();
});

for (const code of ["ENOTCONN", "ECONNABORTED", "ECONNRESET"]) {
  Deno.test(`RuntimeListener goes on at once after a client that has reset its connection already (${code})`, async () => {
    using failing = failingListener(code, 100);
    const failures: Error[] = [];
    const listener = new RuntimeListener({ address: "127.0.0.1", port: 1, shared: false }, {
      accepted() {},
      failed: (error) => failures.push(error),
    });
    // Promises only: a pause would need a timer.
    for (let turns = 0; turns < 1000 && failing.calls.length <= 100; turns++) await Promise.resolve();
    assertEquals(failing.calls.length, 101);
    assertEquals(failures, []);
    listener.close();
  });
}

Deno.test("RuntimeListener accepts again after an exception of failed(), which is reported", async () => {
  using failing = failingListener();
  const error = new Error("by the test");
  const reported: unknown[] = [];
  const listening = (event: ErrorEvent) => {
    event.preventDefault();
    reported.push(event.error);
  };
  addEventListener("error", listening);
  const listener = new RuntimeListener({ address: "127.0.0.1", port: 1, shared: false }, {
    accepted() {},
    failed() {
      throw error;
    },
  });
  await until("it has tried again", () => failing.calls.length > 1 && reported.length > 1);
  removeEventListener("error", listening);
  listener.close();
  assertEquals(reported.slice(0, 2), [error, error]);
});
