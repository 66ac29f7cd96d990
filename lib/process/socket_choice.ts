/**
 * The choice of the socket driver of a thread, made before its first socket is opened.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import { runtimeDriver } from "../sockets/runtime_driver.ts";
import type { SocketDriverName } from "../sockets/driver_name.ts";
import type { SocketDriver } from "../sockets/socket.ts";
import { socketDriver, useSocketDriver } from "../sockets/socket_driver.ts";
import { environmentDefault } from "../listener/listener_choice.ts";
import type { ServerConfig } from "./server_schema.ts";

/** The driver of a thread, and why it was chosen. */
export interface SocketChoice {
  readonly driver: SocketDriverName;
  /** Why this driver, in a few words. */
  readonly reason: string;
  /** Why the driver that the config names does not work here; undefined where it does, or none is named. */
  readonly obstacle: string | undefined;
}

/**
 * Chooses the driver that `[server] sockets` means on this machine, for all sockets of this thread from now on.
 *
 * @param log Where the choice is logged.
 */
export async function chooseSockets(
  server: Pick<ServerConfig, "sockets">,
  log: Log | undefined,
): Promise<SocketChoice> {
  const { choice, driver } = await findDriver(server);
  useSocketDriver(driver);
  const { driver: name, reason, obstacle } = choice;
  log?.log(obstacle === undefined ? "info" : "warn", "socket driver chosen", { driver: name, reason });
  return choice;
}

/** Hands to the system what this thread has written, before it ends. */
export function flushSockets(): void {
  socketDriver().flush?.();
}

/** What {@linkcode chooseSockets} would choose. */
export async function socketChoice(server: Pick<ServerConfig, "sockets">): Promise<SocketChoice> {
  return (await findDriver(server)).choice;
}

async function findDriver(
  { sockets }: Pick<ServerConfig, "sockets">,
): Promise<{ readonly choice: SocketChoice; readonly driver: SocketDriver }> {
  const named = sockets === "auto" ? environmentDefault("BWS_SOCKETS") : sockets;
  const wanted = BEST_FIRST.find((name) => name === named);
  const obstacles: string[] = [];
  let obstacle: string | undefined;
  for (const name of BEST_FIRST.slice(BEST_FIRST.indexOf(wanted ?? AUTO))) {
    const driver = await open(name);
    if (typeof driver !== "string") {
      const reason = obstacles.length > 0
        ? obstacles.join("; ")
        : wanted === undefined
        ? "the best that works here"
        : "it was asked for";
      return { driver, choice: { driver: name, reason, obstacle } };
    }
    obstacles.push(`${name} does not work here: ${driver}`);
    if (name === wanted) obstacle = driver;
  }
  throw new Error("The runtime's driver works everywhere");
}

/** The driver, or why it does not work here. Those of Linux are loaded only where they are wanted. */
async function open(name: SocketDriverName): Promise<SocketDriver | string> {
  if (name === "runtime") return runtimeDriver;
  if (name === "uring") return await (await import("../sockets/uring/open_uring.ts")).openUring();
  return await (await import("../sockets/epoll/open_epoll.ts")).openEpoll();
}

/** All drivers: where one does not work, the next one is tried. */
const BEST_FIRST: readonly SocketDriverName[] = ["uring", "epoll", "runtime"];

/** The driver that `auto` takes where it works. */
const AUTO = "epoll";
