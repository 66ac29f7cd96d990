/**
 * The choice of the socket driver of a thread, made before its first socket is opened.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import { runtimeDriver } from "../sockets/runtime_driver.ts";
import { SOCKET_DRIVERS, type SocketDriverName } from "../sockets/driver_name.ts";
import type { SocketDriver } from "../sockets/socket.ts";
import { useSocketDriver } from "../sockets/socket_driver.ts";
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

/** What {@linkcode chooseSockets} would choose. */
export async function socketChoice(server: Pick<ServerConfig, "sockets">): Promise<SocketChoice> {
  return (await findDriver(server)).choice;
}

async function findDriver(
  { sockets }: Pick<ServerConfig, "sockets">,
): Promise<{ readonly choice: SocketChoice; readonly driver: SocketDriver }> {
  const named = sockets === "auto" ? environmentDefault("BWS_SOCKETS") : sockets;
  const wanted = SOCKET_DRIVERS.find((name) => name === named);
  if (wanted === "runtime") return usual("it was asked for");
  if (wanted !== undefined) {
    const found = await open(wanted);
    return typeof found === "string"
      ? usual(`${wanted} does not work here: ${found}`, found)
      : { driver: found, choice: { driver: wanted, reason: "it was asked for", obstacle: undefined } };
  }
  const found = await open(BEST);
  return typeof found === "string"
    ? usual(`${BEST} does not work here: ${found}`)
    : { driver: found, choice: { driver: BEST, reason: "the best that works here", obstacle: undefined } };
}

function usual(reason: string, obstacle?: string): { readonly choice: SocketChoice; readonly driver: SocketDriver } {
  return { driver: runtimeDriver, choice: { driver: "runtime", reason, obstacle } };
}

/** The driver, or why it does not work here. */
async function open(name: Exclude<SocketDriverName, "runtime">): Promise<SocketDriver | string> {
  if (name === "uring") return "this version of BWS has no driver uring";
  // Loaded only where it is wanted.
  const { openEpoll } = await import("../sockets/epoll/open_epoll.ts");
  return await openEpoll();
}

/** The driver that `auto` takes where it works. */
const BEST = "epoll";
