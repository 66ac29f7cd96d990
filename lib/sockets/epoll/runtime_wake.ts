/**
 * Wakes the loop when the epoll descriptor has events, by the runtime's own reactor, so that waiting needs no thread of
 * its own and costs nothing while nothing comes.
 *
 * The runtime watches an eventfd, through the handle that it has for pipes (as Node.js does, by `process.binding`; there
 * is no public function to which any descriptor can be given). A poll of the kernel's asynchronous I/O connects the two:
 * once the epoll descriptor has events, it adds to the eventfd. It is level triggered, and is submitted again for each
 * wait. Nothing is watched that is not what it seems to be, so the runtime and the kernel can close either at any time.
 *
 * @module
 */

import process from "node:process";
import { type Arena, WAKE } from "./arena.ts";
import type { CLibrary } from "./c_library.ts";

/** The part of the runtime's handle for pipes that is used. */
interface PipeHandle {
  onread: () => void;
  open(descriptor: number): number;
  /** All bytes that are read go here. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  ref(): void;
  unref(): void;
}

type Binding = (name: string) => { Pipe?: new (type: number) => PipeHandle };

/** Numbers of the system calls, by architecture. */
const CALLS = { x86_64: { setup: 206, submit: 209 }, aarch64: { setup: 0, submit: 2 } };

const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
const IOCB_CMD_POLL = 5;
const IOCB_FLAG_RESFD = 1;
const POLLIN = 1;

/** Where the handle of asynchronous I/O, the list of one poll, and the poll (a structure iocb) lie. */
const CONTEXT = WAKE.start;
const LIST = WAKE.start + 8;
const POLL = WAKE.start + 64;

/** Wakes one loop. Owned by the loop, and open for as long as the thread lasts. */
export class RuntimeWake {
  readonly #library: CLibrary;
  readonly #arena: Arena;
  readonly #pipe: PipeHandle;
  /** Handle of asynchronous I/O. */
  readonly context: bigint;
  /** What the runtime watches. It does not close it when its thread ends. */
  readonly eventfd: number;
  /** Head and tail of the ring of finished polls. */
  readonly #ring: Uint32Array<ArrayBuffer>;
  readonly #submit = CALLS[Deno.build.arch].submit;

  /**
   * @param epoll The epoll descriptor.
   * @param woken Called from the event loop, once for each {@linkcode arm}.
   * @throws {Error} If the runtime or the system lacks what it needs.
   */
  constructor(library: CLibrary, arena: Arena, epoll: number, woken: () => void) {
    this.#library = library;
    this.#arena = arena;
    const { Pipe } = (process as unknown as { binding?: Binding }).binding?.("pipe_wrap") ?? {};
    if (typeof Pipe?.prototype?.useUserBuffer !== "function") throw new Error("the runtime has no handle for pipes");
    arena.bytes.fill(0, WAKE.start, WAKE.start + WAKE.bytes);
    if (library.syscall(CALLS[Deno.build.arch].setup, 1n, arena.address + CONTEXT, 0) !== 0) {
      throw new Error("the system allows no asynchronous I/O (io_setup)");
    }
    const view = new DataView(arena.bytes.buffer);
    this.context = view.getBigUint64(CONTEXT, true);
    const place = Deno.UnsafePointer.create(this.context) as Deno.PointerObject;
    this.#ring = new Uint32Array(Deno.UnsafePointerView.getArrayBuffer(place, 16));
    const eventfd = this.eventfd = library.eventfd(0, EFD_NONBLOCK_CLOEXEC);
    this.#pipe = new Pipe(0);
    if (eventfd < 0 || this.#pipe.open(eventfd) !== 0) throw new Error("the runtime cannot watch an eventfd");
    view.setBigUint64(LIST, BigInt(arena.address + POLL), true);
    view.setUint16(POLL + 16, IOCB_CMD_POLL, true);
    view.setUint32(POLL + 20, epoll, true);
    view.setUint32(POLL + 24, POLLIN, true);
    view.setUint32(POLL + 56, IOCB_FLAG_RESFD, true);
    view.setUint32(POLL + 60, eventfd, true);
    // As large as what is read, so that the runtime reads on and finds the eventfd empty.
    this.#pipe.useUserBuffer(new Uint8Array(8));
    this.#pipe.onread = woken;
    this.#pipe.readStart();
    this.#pipe.unref();
  }

  /** Asks to be woken as soon as there are events, which may be at once. Returns whether the system takes it. */
  arm(): boolean {
    // The poll before has finished, so what it left in the ring is taken out of it.
    this.#ring[2] = this.#ring[3];
    return this.#library.syscall(this.#submit, this.context, 1, this.#arena.address + LIST) === 1;
  }

  /** Keeps the process alive. */
  ref(): void {
    this.#pipe.ref();
  }

  /** Lets the process end. */
  unref(): void {
    this.#pipe.unref();
  }
}
