/**
 * Opens the driver `uring` where it works.
 *
 * @module
 */

import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import type { SocketDriver } from "../socket.ts";
import { UringDriver } from "./uring_driver.ts";

/** How long the first event may take to come. */
const FIRST_EVENT_MS = 1000;

let opened: Promise<SocketDriver | string> | undefined;

/** The driver of this thread, or why it does not work here, in a few words. */
export function openUring(): Promise<SocketDriver | string> {
  return opened ??= open();
}

async function open(): Promise<SocketDriver | string> {
  if (Deno.build.os !== "linux") return "it is for Linux";
  // Without the permission the runtime would ask for it.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "it needs --allow-ffi";
  let driver: UringDriver;
  try {
    driver = new UringDriver();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  // What the loop is woken by is not documented by the runtime: a version without it must not go unnoticed.
  const woken = await new Promise<boolean>((resolve) => {
    const timer = new StallTolerantTimer(() => resolve(false), FIRST_EVENT_MS);
    driver.tryEvent(() => {
      timer.stop();
      resolve(true);
    });
  });
  return woken ? driver : "the runtime does not report events of io_uring";
}
