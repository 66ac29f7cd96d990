/**
 * The names of the socket drivers.
 *
 * @module
 */

/** The runtime's, and those of Linux. */
export const SOCKET_DRIVERS = ["runtime", "epoll", "uring"] as const;

/** Name of a driver, as in `[server] sockets`. */
export type SocketDriverName = typeof SOCKET_DRIVERS[number];
