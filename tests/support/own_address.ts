/**
 * An address of loopback for one test alone, and the sockets on it.
 *
 * Test files that run in parallel are threads of one process, so that the open files of the process are those of all of them:
 * what one test has left open can only be told from what it was connected to.
 *
 * @module
 */

/** States of a socket in the system's table. */
const LISTENING = "0A";

/** An address that no other test uses; on systems that have no more than one address of loopback it is that one. */
export class OwnAddress {
  /** The address. */
  readonly address: string;
  readonly #hex: string;

  constructor() {
    const [second, third, fourth] = crypto.getRandomValues(new Uint8Array(3));
    // 127.0 is everybody's, and a last part of 0 or 255 might be a network's.
    const parts = Deno.build.os === "linux" ? [127, 1 + second % 254, third, 1 + fourth % 254] : [127, 0, 0, 1];
    this.address = parts.join(".");
    this.#hex = parts.reverse().map((part) => part.toString(16).padStart(2, "0")).join("").toUpperCase();
  }

  /**
   * How many TCP sockets are open, listen or are being opened with this address at one of their ends. Connections that nobody
   * has accepted yet, and those that the system ends by itself after close(), are no open sockets. -1 where the system
   * does not tell.
   */
  openSockets(): number {
    return this.#count(() => true);
  }

  /** {@linkcode openSockets} without those that listen. */
  openConnections(): number {
    return this.#count((state) => state !== LISTENING);
  }

  #count(counts: (state: string) => boolean): number {
    if (Deno.build.os !== "linux") return -1;
    let count = 0;
    for (const line of Deno.readTextFileSync("/proc/self/net/tcp").split("\n").slice(1)) {
      const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
      if (inode === undefined || inode === "0" || !counts(state)) continue;
      if (local.startsWith(this.#hex) || remote.startsWith(this.#hex)) count++;
    }
    return count;
  }
}
