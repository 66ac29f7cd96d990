/**
 * A poll of the kernel's asynchronous I/O, which connects the epoll descriptor with the eventfd that wakes the loop: once the
 * epoll descriptor has events, it adds to the eventfd. It is level triggered, and is submitted again for each wait.
 *
 * @module
 */

import { type Arena, WAKE } from "../linux/arena.ts";
import type { CLibrary } from "../linux/c_library.ts";

/** Numbers of the system calls, by architecture. */
const CALLS = { x86_64: { setup: 206, submit: 209 }, aarch64: { setup: 0, submit: 2 } };

const IOCB_CMD_POLL = 5;
const IOCB_FLAG_RESFD = 1;
const POLLIN = 1;

/** Where the handle of asynchronous I/O, the list of one poll, and the poll (a structure iocb) lie. */
const CONTEXT = WAKE.start;
const LIST = WAKE.start + 8;
const POLL = WAKE.start + 64;

/** The poll of one loop. Owned by the loop. */
export class EventPoll {
  /** Handle of asynchronous I/O. */
  readonly context: bigint;
  readonly #library: CLibrary;
  readonly #arena: Arena;
  /** Head and tail of the ring of finished polls. */
  readonly #ring: Uint32Array<ArrayBuffer>;
  readonly #submit = CALLS[Deno.build.arch].submit;

  /**
   * @param epoll The epoll descriptor.
   * @param eventfd What it adds to.
   * @throws {Error} If the system allows no asynchronous I/O.
   */
  constructor(library: CLibrary, arena: Arena, epoll: number, eventfd: number) {
    this.#library = library;
    this.#arena = arena;
    arena.bytes.fill(0, WAKE.start, WAKE.start + WAKE.bytes);
    if (library.syscall(CALLS[Deno.build.arch].setup, 1n, arena.address + CONTEXT, 0) !== 0) {
      throw new Error("the system allows no asynchronous I/O (io_setup)");
    }
    const view = new DataView(arena.bytes.buffer);
    this.context = view.getBigUint64(CONTEXT, true);
    const place = Deno.UnsafePointer.create(this.context) as Deno.PointerObject;
    this.#ring = new Uint32Array(Deno.UnsafePointerView.getArrayBuffer(place, 16));
    view.setBigUint64(LIST, BigInt(arena.address + POLL), true);
    view.setUint16(POLL + 16, IOCB_CMD_POLL, true);
    view.setUint32(POLL + 20, epoll, true);
    view.setUint32(POLL + 24, POLLIN, true);
    view.setUint32(POLL + 56, IOCB_FLAG_RESFD, true);
    view.setUint32(POLL + 60, eventfd, true);
  }

  /** Asks for a wake as soon as there are events, which may be at once. Returns whether the system takes it. */
  arm(): boolean {
    // The poll before has finished, so what it left in the ring is taken out of it.
    this.#ring[2] = this.#ring[3];
    return this.#library.syscall(this.#submit, this.context, 1, this.#arena.address + LIST) === 1;
  }
}
