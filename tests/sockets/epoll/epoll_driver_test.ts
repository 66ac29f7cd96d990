/**
 * The driver `epoll`, with and without faults of the system. Where it does not work, as on other systems, nothing is
 * tested.
 *
 * @module
 */

import { sendFileContract } from "../../contract/send_file_contract.ts";
import { socketContract, type SocketFault } from "../../contract/socket_contract.ts";
import { socketDriverContract } from "../../contract/socket_driver_contract.ts";
import { socketLoopContract } from "../../contract/socket_loop_contract.ts";
import { epollWorks } from "../../support/epoll_support.ts";
import type { CallName, FaultySystemCalls } from "../../support/faulty_system_calls.ts";

const EINTR = 4;
const EAGAIN = 11;

/** Calls that may be interrupted, or block. */
const CALLS: readonly CallName[] = ["receive", "send", "accept"];

let epollCalls: FaultySystemCalls;

if (epollWorks) {
  const module = new URL("../../support/epoll_driver.ts", import.meta.url).href;
  const { epollDriver, faultyCalls } = await import("../../support/epoll_driver.ts");
  epollCalls = faultyCalls;
  socketContract("epoll", epollDriver, {
    seesEnds: true,
    faults: [
      { name: "reads and writes of one byte", inject: () => shortened(1) },
      { name: "reads and writes of seven bytes", inject: () => shortened(7) },
      ...CALLS.map((name) => everySecond(name, EINTR, "interrupted")),
      ...CALLS.map((name) => everySecond(name, EAGAIN, "told to come again")),
      everySecond("wait", EINTR, "interrupted"),
      everySecond("waitFor", EINTR, "interrupted"),
    ],
  });
  sendFileContract("epoll", epollDriver, [
    { name: "reads and writes of one byte", inject: () => shortened(1) },
    { name: "reads and writes of 4000 bytes", inject: () => shortened(4000) },
    everySecond("sendFile", EINTR, "interrupted"),
    everySecond("sendFile", EAGAIN, "told to come again"),
    everySecond("send", EAGAIN, "told to come again"),
  ]);
  socketLoopContract("epoll", epollDriver);
  socketDriverContract("epoll", epollDriver, { program: { module, name: "epollDriver" } });
}

function shortened(bytes: number): Disposable {
  epollCalls.mostBytes = bytes;
  return { [Symbol.dispose]: () => epollCalls.clear() };
}

/** Every second call of that name fails. */
function everySecond(name: CallName, errno: number, how: string): SocketFault {
  return {
    name: `every second ${name} ${how}`,
    inject() {
      let calls = 0;
      epollCalls.fault = (called) => called === name && calls++ % 2 === 0 ? -errno : undefined;
      return { [Symbol.dispose]: () => epollCalls.clear() };
    },
  };
}
