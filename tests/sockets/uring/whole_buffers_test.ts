/**
 * The driver `uring` with receive buffers that the kernel does not fill step by step, as on Linux 6.1 to 6.11. Where the driver
 * does not work, nothing is tested.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { SocketDriver } from "../../../lib/sockets/socket.ts";
import { socketContract, type SocketFault } from "../../contract/socket_contract.ts";
import { faultTest, randomFaultContract } from "../../contract/system_call_contract.ts";
import { until } from "../../support/condition.ts";
import { uringWorks } from "../../support/uring_support.ts";

const [EAGAIN, EINTR, ECONNRESET, ENOBUFS, ECANCELED] = [11, 4, 104, 105, 125];

if (uringWorks) {
  const { uringDriver, faultyCalls: calls, faultyUring: ring } = await import(
    "../../support/uring_whole_buffers_driver.ts"
  );
  const clear = () => {
    calls.clear();
    ring.clear();
  };
  const clearing: Disposable = { [Symbol.dispose]: clear };
  const shortened = (bytes: number): SocketFault => ({
    name: `reads and writes of ${bytes} bytes`,
    inject() {
      calls.mostBytes = bytes;
      ring.mostBytes = bytes;
      return clearing;
    },
  });
  const name = "uring with whole buffers";
  socketContract(name, uringDriver, {
    seesEnds: true,
    faults: [shortened(1), shortened(7), {
      name: "every second request to receive left without a buffer",
      inject() {
        let requests = 0;
        ring.fault = (made) => made === "receive" && requests++ % 2 === 0 ? -ENOBUFS : undefined;
        return clearing;
      },
    }],
  });

  const test = faultTest(name, uringDriver as SocketDriver, calls, clear);

  test("no buffer is filled step by step, and more messages arrive at once than there are buffers", async (open) => {
    const messages = 100;
    const pairs = await Promise.all(Array.from({ length: messages }, () => open.pair()));
    for (let round = 1; round <= 3; round++) {
      for (const { client } of pairs) client.write("message");
      await until("all arrive", () => pairs.every(({ server }) => server.text === "message".repeat(round)));
    }
    assertEquals(ring.steps, 0);
  });

  randomFaultContract(test, uringDriver, {
    piece: 2000,
    inject(random) {
      ring.fault = (made) => {
        const draw = random();
        if (draw < 0.3) return -[EAGAIN, EINTR, ECANCELED][Math.floor(random() * 3)];
        if (made === "receive" && draw < 0.4) return -ENOBUFS;
        return made === "receive" && draw < 0.402 ? -ECONNRESET : undefined;
      };
      ring.mostBytes = 1 + Math.floor(random() * 3000);
    },
    clear,
  });
}
