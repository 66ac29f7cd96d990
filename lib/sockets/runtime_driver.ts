/**
 * The driver over `Deno.listen` and `Deno.connect`, which works everywhere.
 *
 * @module
 */

import { notifyRefused } from "./notify_failed.ts";
import { RuntimeListener } from "./runtime_listener.ts";
import { RuntimeSocket } from "./runtime_socket.ts";
import type {
  AcceptHandler,
  ConnectHandler,
  ConnectTarget,
  ListeningSocket,
  ListenTarget,
  PendingConnect,
  SocketDriver,
} from "./socket.ts";
import { TcpConnect } from "./tcp_connect.ts";
import { closeQuietly } from "./wire.ts";

/** The driver `runtime`. It has no state, so that all users of a thread share it. */
export const runtimeDriver: SocketDriver = {
  name: "runtime",
  scratch: undefined,
  listen(target: ListenTarget, handler: AcceptHandler): ListeningSocket {
    return new RuntimeListener(target, handler);
  },
  connect(target: ConnectTarget, handler: ConnectHandler): PendingConnect {
    return "path" in target ? new UnixConnect(target.path, handler) : new AddressConnect(target, handler);
  },
};

/** A connection to an address and a port; also to a name, which the runtime looks up. */
class AddressConnect implements PendingConnect {
  readonly #connect: TcpConnect;
  #abandoned = false;

  constructor({ address, port }: { address: string; port: number }, handler: ConnectHandler) {
    this.#connect = new TcpConnect(address, port);
    this.#connect.conn.then((conn) => {
      if (this.#abandoned) return;
      try {
        // A small write is usually a whole message; Nagle's algorithm would only delay it.
        conn.setNoDelay(true);
      } catch (error) {
        // Reset already, for which some systems refuse it.
        closeQuietly(conn);
        return notifyRefused(handler, error as Error);
      }
      open(new RuntimeSocket(conn, address, port), handler);
    }, (error) => {
      if (!this.#abandoned) notifyRefused(handler, error);
    });
  }

  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#connect.abandon();
  }
}

/** A connection to a unix socket. */
class UnixConnect implements PendingConnect {
  #abandoned = false;

  constructor(path: string, handler: ConnectHandler) {
    Deno.connect({ transport: "unix", path }).then((conn) => {
      if (this.#abandoned) closeQuietly(conn);
      else open(new RuntimeSocket(conn), handler);
    }, (error) => {
      if (!this.#abandoned) notifyRefused(handler, error);
    });
  }

  abandon(): void {
    this.#abandoned = true;
  }
}

function open(socket: RuntimeSocket, handler: ConnectHandler): void {
  try {
    handler.connected(socket);
  } catch (error) {
    socket.fail(error);
  }
  socket.begin();
}
