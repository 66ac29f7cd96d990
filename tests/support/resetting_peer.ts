/**
 * A client that can reset its connection. The runtime's own sockets cannot: they send a FIN first.
 *
 * @module
 */

import { connect, type Socket } from "node:net";

/** A connection that ends with a reset. It reads nothing. */
export class ResettingPeer {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Connects to an address and a port. */
  static open(address: string, port: number): Promise<ResettingPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, address);
      socket.pause();
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        socket.on("error", () => {});
        resolve(new ResettingPeer(socket));
      });
    });
  }

  /** Sends text, and waits until the system has it. */
  send(text: string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(text, () => resolve()));
  }

  /** Resets the connection, and waits until it is closed. */
  reset(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.resetAndDestroy();
    });
  }
}
