/**
 * Wakes the loop by the runtime's own reactor, so that waiting needs no thread of its own and costs nothing while nothing
 * comes: the runtime watches an eventfd, to which the kernel adds when there are events. It does so through the handle that
 * it has for pipes (as Node.js does, by `process.binding`; there is no public function to which any descriptor can be
 * given). Nothing is watched that is not what it seems to be, so the runtime and the kernel can close either at any time.
 *
 * @module
 */

import process from "node:process";
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

const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;

/** Wakes one loop. Owned by the loop, and open for as long as the thread lasts. */
export class RuntimeWake {
  /** What the runtime watches. It does not close it when its thread ends. */
  readonly eventfd: number;
  readonly #library: CLibrary;
  readonly #pipe: PipeHandle;
  /** For how many reasons the process stays alive. */
  #reasons = 0;
  #waking = false;

  /**
   * @param woken Called from the event loop when the kernel has added to the eventfd.
   * @throws {Error} If the runtime or the system lacks what it needs.
   */
  constructor(library: CLibrary, woken: () => void) {
    const { Pipe } = (process as unknown as { binding?: Binding }).binding?.("pipe_wrap") ?? {};
    if (typeof Pipe?.prototype?.useUserBuffer !== "function") throw new Error("the runtime has no handle for pipes");
    this.#library = library;
    this.eventfd = library.eventfd(0, EFD_NONBLOCK_CLOEXEC);
    this.#pipe = new Pipe(0);
    if (this.eventfd < 0 || this.#pipe.open(this.eventfd) !== 0) throw new Error("the runtime cannot watch an eventfd");
    // As large as what is read, so that the runtime reads on and finds the eventfd empty.
    this.#pipe.useUserBuffer(new Uint8Array(8));
    this.#pipe.onread = () => {
      if (this.#waking) {
        this.#waking = false;
        this.unref();
      }
      woken();
    };
    this.#pipe.readStart();
    this.#pipe.unref();
  }

  /** Wakes the loop as the kernel does. The process stays alive until then. */
  wake(): void {
    if (!this.#waking) {
      this.#waking = true;
      this.ref();
    }
    this.#library.eventfd_write(this.eventfd, 1n);
  }

  /** Keeps the process alive, until {@linkcode unref} is called as often. */
  ref(): void {
    if (this.#reasons++ === 0) this.#pipe.ref();
  }

  /** Lets the process end. */
  unref(): void {
    if (--this.#reasons === 0) this.#pipe.unref();
  }
}
