/**
 * Opens a driver of Linux, if it works here.
 *
 * @module
 */

import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import type { SocketDriver } from "../socket.ts";

/** How long the first event may take to come. */
const FIRST_EVENT_MS = 1000;

/** A driver that can show that its loop is woken. */
export interface TriedDriver extends SocketDriver {
  /** Calls `arrived` when an event that it makes itself has come. */
  tryEvent(arrived: () => void): void;
}

/**
 * Opens a driver and waits for its first event.
 *
 * @param make Throws where the driver does not work.
 * @param eventsOf What the runtime must report events of, for the reason.
 * @returns The driver, or why it does not work here, in a few words.
 */
export async function tryDriver(make: () => TriedDriver, eventsOf: string): Promise<SocketDriver | string> {
  if (Deno.build.os !== "linux") return "it is for Linux";
  // Without the permission the runtime would ask for it.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return "it needs --allow-ffi";
  let driver: TriedDriver;
  try {
    driver = make();
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
  return woken ? driver : `the runtime does not report events of ${eventsOf}`;
}
