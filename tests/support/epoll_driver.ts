/**
 * The driver `epoll` with system calls into which faults can be put.
 *
 * @module
 */

import { EpollDriver } from "../../lib/sockets/epoll/epoll_driver.ts";
import { FaultySystemCalls } from "./faulty_system_calls.ts";

/** The system calls of {@linkcode epollDriver}. */
export let faultyCalls: FaultySystemCalls;

/** The driver of this thread. */
export const epollDriver: EpollDriver = new EpollDriver((calls, arena) => {
  faultyCalls = new FaultySystemCalls(calls, arena);
  return faultyCalls;
});
