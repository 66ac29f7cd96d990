/**
 * The system calls of sockets. Each returns its result, 0 or more, or the negative number of its error; addresses are
 * those of the arena. Tests put calls that fail in place of {@linkcode LinuxCalls}.
 *
 * @module
 */

import { type Arena, ARGUMENTS } from "./arena.ts";
import { type CLibrary, type MessageCall, messageCall } from "./c_library.ts";

/** System calls of one thread. Descriptors do not block, and are not inherited. */
export interface SystemCalls {
  /** Creates a stream socket of a family. */
  socket(family: number): number;
  /** Gives it an address. */
  bind(descriptor: number, address: number, bytes: number): number;
  /** Begins to listen. */
  listen(descriptor: number, backlog: number): number;
  /** Begins to connect. */
  connect(descriptor: number, address: number, bytes: number): number;
  /** Accepts a connection. The address of the peer goes to `address`, its length to `bytesAddress`. */
  accept(descriptor: number, address: number, bytesAddress: number): number;
  /** Sets an option that is a number. */
  setOption(descriptor: number, level: number, option: number, value: number): number;
  /** Sets SO_LINGER to 0 seconds, so that closing sends a reset. */
  setReset(descriptor: number): number;
  /** The value of an option that is a number, 0 or more. */
  getOption(descriptor: number, level: number, option: number): number;
  /** The local address goes to `address`, its length to `bytesAddress`. */
  localAddress(descriptor: number, address: number, bytesAddress: number): number;
  /**
   * Receives bytes. Fewer than `bytes` means that nothing more had arrived, unless there is urgent data, the end or an
   * error behind them.
   */
  receive(descriptor: number, address: number, bytes: number): number;
  /** Whether a read would find bytes (1) or the end (0). An error is reported once. */
  peek(descriptor: number, address: number): number;
  /**
   * Sends bytes, without the signal SIGPIPE.
   *
   * @param more Whether more follow at once, so that the system may wait for them.
   */
  send(descriptor: number, address: number, bytes: number, more: boolean): number;
  /** As {@linkcode send}, with other bytes behind them. Returns how many of both were sent. */
  sendBoth(descriptor: number, address: number, bytes: number, behindAddress: number, behindBytes: number): number;
  /**
   * Sends bytes of a file; 0 at its end. The runtime ignores SIGPIPE, so that it does no harm here.
   *
   * @param file Descriptor of the file.
   * @param offset Where the bytes begin.
   */
  sendFile(descriptor: number, file: number, offset: number, bytes: number): number;
  /** Ends the writing side. */
  shutdown(descriptor: number): number;
  /** Closes a descriptor. */
  close(descriptor: number): number;
}

/** Numbers of the system calls, by architecture. */
const { SENDTO, RECVFROM, SENDMSG, ACCEPT4, CLOSE } = {
  x86_64: { SENDTO: 44, RECVFROM: 45, SENDMSG: 46, ACCEPT4: 288, CLOSE: 3 },
  aarch64: { SENDTO: 206, RECVFROM: 207, SENDMSG: 211, ACCEPT4: 242, CLOSE: 57 },
}[Deno.build.arch];

const SOCK_STREAM_NONBLOCK_CLOEXEC = 1 | 0x800 | 0x80000;
const SOCK_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
const MSG_PEEK = 0x2;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const SHUT_WR = 1;
const SOL_SOCKET = 1;
const SO_LINGER = 13;

/** Where in the arena options lie. */
const VALUE = ARGUMENTS.start + 512;
const LENGTH = ARGUMENTS.start + 528;
const OFFSET = ARGUMENTS.start + 560;
/** Structure msghdr, all of which is zero but its parts, and the two structures iovec that are its parts. */
const MESSAGE = ARGUMENTS.start + 608;
const PARTS = ARGUMENTS.start + 672;

/** The system calls of Linux, by the C library. */
export class LinuxCalls implements SystemCalls {
  readonly #library: CLibrary;
  readonly #message: MessageCall;
  readonly #arena: Arena;
  /** `errno` of this thread. It is read in the same turn as the call, before anything else can set it. */
  readonly #errno: Int32Array<ArrayBuffer>;

  constructor(library: CLibrary, arena: Arena) {
    this.#library = library;
    this.#message = messageCall();
    this.#arena = arena;
    const place = library.__errno_location() as Deno.PointerObject;
    this.#errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(place, 4));
  }

  socket(family: number): number {
    return this.result(this.#library.socket(family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0));
  }

  bind(descriptor: number, address: number, bytes: number): number {
    return this.result(this.#library.bind(descriptor, address, bytes));
  }

  listen(descriptor: number, backlog: number): number {
    return this.result(this.#library.listen(descriptor, backlog));
  }

  connect(descriptor: number, address: number, bytes: number): number {
    return this.result(this.#library.connect(descriptor, address, bytes));
  }

  accept(descriptor: number, address: number, bytesAddress: number): number {
    return this.result(this.#message(ACCEPT4, descriptor, address, bytesAddress, SOCK_NONBLOCK_CLOEXEC, 0, 0));
  }

  setOption(descriptor: number, level: number, option: number, value: number): number {
    return this.result(this.#library.setsockopt(descriptor, level, option, this.#arena.put(VALUE, value), 4));
  }

  setReset(descriptor: number): number {
    const address = this.#arena.put(VALUE, 1);
    this.#arena.put(VALUE + 4, 0);
    return this.result(this.#library.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, address, 8));
  }

  getOption(descriptor: number, level: number, option: number): number {
    const address = this.#arena.put(VALUE, 0);
    const result = this.#library.getsockopt(descriptor, level, option, address, this.#arena.put(LENGTH, 4));
    return result < 0 ? -this.#errno[0] : this.#arena.words[VALUE >> 2];
  }

  localAddress(descriptor: number, address: number, bytesAddress: number): number {
    return this.result(this.#library.getsockname(descriptor, address, bytesAddress));
  }

  receive(descriptor: number, address: number, bytes: number): number {
    const result = this.#message(RECVFROM, descriptor, address, bytes, 0, 0, 0);
    return result < 0 ? -this.#errno[0] : result;
  }

  peek(descriptor: number, address: number): number {
    return this.result(this.#library.recv(descriptor, address, 1, MSG_PEEK));
  }

  send(descriptor: number, address: number, bytes: number, more: boolean): number {
    const flags = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
    const result = this.#message(SENDTO, descriptor, address, bytes, flags, 0, 0);
    return result < 0 ? -this.#errno[0] : result;
  }

  sendBoth(descriptor: number, address: number, bytes: number, behindAddress: number, behindBytes: number): number {
    this.#arena.put(PARTS, address);
    this.#arena.put(PARTS + 8, bytes);
    this.#arena.put(PARTS + 16, behindAddress);
    this.#arena.put(PARTS + 24, behindBytes);
    this.#arena.put(MESSAGE + 16, this.#arena.address + PARTS);
    const message = this.#arena.put(MESSAGE + 24, 2) - 24;
    return this.result(this.#message(SENDMSG, descriptor, message, MSG_NOSIGNAL, 0, 0, 0));
  }

  sendFile(descriptor: number, file: number, offset: number, bytes: number): number {
    const address = this.#arena.put(OFFSET, offset % 0x1_0000_0000);
    this.#arena.put(OFFSET + 4, Math.floor(offset / 0x1_0000_0000));
    const result = this.#library.sendfile(descriptor, file, address, bytes);
    return result < 0 ? -this.#errno[0] : result;
  }

  shutdown(descriptor: number): number {
    return this.result(this.#library.shutdown(descriptor, SHUT_WR));
  }

  close(descriptor: number): number {
    return this.result(this.#message(CLOSE, descriptor, 0, 0, 0, 0, 0));
  }

  /** The result of a call, or the negative number of its error. */
  protected result(result: number): number {
    return result < 0 ? -this.#errno[0] : result;
  }
}
