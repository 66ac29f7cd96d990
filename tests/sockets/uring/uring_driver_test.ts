/**
 * The driver `uring`, with and without faults of requests and calls. Where it does not work, nothing is tested.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { sendFileContract } from "../../contract/send_file_contract.ts";
import { socketContract, type SocketFault } from "../../contract/socket_contract.ts";
import { socketDriverContract } from "../../contract/socket_driver_contract.ts";
import { socketLoopContract } from "../../contract/socket_loop_contract.ts";
import type { CallName, FaultySystemCalls } from "../../support/faulty_system_calls.ts";
import type { FaultyUring, RequestName } from "../../support/faulty_uring.ts";
import { OwnAddress } from "../../support/own_address.ts";
import { uringWorks } from "../../support/uring_support.ts";

const EINTR = 4;
const EAGAIN = 11;
const ENOMEM = 12;
const ENOBUFS = 105;
const ECANCELED = 125;

let calls: FaultySystemCalls;
let ring: FaultyUring;

if (uringWorks) {
  const module = new URL("../../support/uring_driver.ts", import.meta.url).href;
  const { uringDriver, faultyCalls, faultyUring } = await import("../../support/uring_driver.ts");
  calls = faultyCalls;
  ring = faultyUring;
  socketContract("uring", uringDriver, {
    seesEnds: true,
    faults: [
      { name: "reads and writes of one byte", inject: () => shortened(1) },
      { name: "reads and writes of seven bytes", inject: () => shortened(7) },
      everySecondRequest("receive", EAGAIN, "told to come again"),
      everySecondRequest("receive", EINTR, "interrupted"),
      everySecondRequest("receive", ENOBUFS, "left without a buffer"),
      everySecondRequest("receive", ECANCELED, "cancelled"),
      everySecondRequest("send", EAGAIN, "told to come again"),
      everySecondRequest("send", EINTR, "interrupted"),
      everySecondRequest("send", ECANCELED, "cancelled"),
      everySecondRequest("poll", ECANCELED, "cancelled"),
      everySecondRequest("poll", ENOMEM, "left without memory"),
      everySecondCall("send", EINTR, "interrupted"),
      everySecondCall("send", EAGAIN, "told to come again"),
      everySecondCall("accept", EINTR, "interrupted"),
      { name: "every second entry to the kernel skipped", inject: skipping },
    ],
  });
  sendFileContract("uring", uringDriver, [
    { name: "reads and writes of one byte", inject: () => shortened(1) },
    { name: "reads and writes of 4000 bytes", inject: () => shortened(4000) },
    everySecondCall("sendFile", EINTR, "interrupted"),
    everySecondCall("sendFile", EAGAIN, "told to come again"),
    everySecondCall("send", EAGAIN, "told to come again"),
    everySecondRequest("poll", ECANCELED, "cancelled"),
  ]);
  socketLoopContract("uring", uringDriver);
  socketDriverContract("uring", uringDriver, { program: { module, name: "uringDriver" } });
}

Deno.test(
  { name: "uring: what was written is sent by flush() before the process ends", ignore: !uringWorks },
  async () => {
    const own = new OwnAddress();
    const listener = Deno.listen({ hostname: own.address, port: 0 });
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const module = new URL("../../../lib/sockets/uring/open_uring.ts", import.meta.url).href;
    const program = `import { openUring } from "${module}";
    const driver = await openUring();
    driver.connect({ address: "${own.address}", port: ${listener.addr.port} }, {
      connected(socket) {
        socket.write(new TextEncoder().encode("last words"), "lent");
        socket.close();
        driver.flush();
        Deno.exit();
      },
      refused() {},
    });`;
    const ended = new Deno.Command(Deno.execPath(), { args: ["eval", "--config", config, program] }).output();
    const conn = await listener.accept();
    assertEquals(await new Response(conn.readable).text(), "last words");
    assertEquals((await ended).code, 0);
    listener.close();
  },
);

const clearing: Disposable = {
  [Symbol.dispose]() {
    calls.clear();
    ring.clear();
  },
};

function shortened(bytes: number): Disposable {
  calls.mostBytes = bytes;
  ring.mostBytes = bytes;
  return clearing;
}

function skipping(): Disposable {
  let entries = 0;
  ring.skipped = () => entries++ % 2 === 0;
  return clearing;
}

/** Every second request of that name fails. */
function everySecondRequest(name: RequestName, errno: number, how: string): SocketFault {
  return {
    name: `every second request to ${name} ${how}`,
    inject() {
      let requests = 0;
      ring.fault = (made) => made === name && requests++ % 2 === 0 ? -errno : undefined;
      return clearing;
    },
  };
}

/** Every second call of that name fails. */
function everySecondCall(name: CallName, errno: number, how: string): SocketFault {
  return {
    name: `every second call of ${name} ${how}`,
    inject() {
      let made = 0;
      calls.fault = (called) => called === name && made++ % 2 === 0 ? -errno : undefined;
      return clearing;
    },
  };
}
