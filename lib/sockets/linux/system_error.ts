/**
 * Errors of system calls, as the runtime reports them: of the same class, with the same text and code.
 *
 * @module
 */

import { cLibrary } from "./c_library.ts";

export const EPERM = 1;
export const EINTR = 4;
export const EAGAIN = 11;
export const EINVAL = 22;
export const EMFILE = 24;
export const EPROTO = 71;
export const EAFNOSUPPORT = 97;
export const ECONNABORTED = 103;
export const ECONNRESET = 104;
export const ENOBUFS = 105;
export const EINPROGRESS = 115;
export const ECANCELED = 125;

/** EPIPE, ENETDOWN, ENETUNREACH, ECONNABORTED, ECONNRESET, ENOBUFS, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH. */
export const BROKEN_CONNECTION: readonly number[] = [32, 100, 101, 103, 104, 105, 107, 110, 112, 113];

/** The class and the code of error `errno`. */
interface ErrorKind {
  readonly code: string;
  /**
   * Class in `Deno.errors`.
   *
   * @default {Error}
   */
  readonly name?: keyof typeof Deno.errors;
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  1: { code: "EPERM", name: "PermissionDenied" },
  2: { code: "ENOENT", name: "NotFound" },
  4: { code: "EINTR", name: "Interrupted" },
  9: { code: "EBADF" },
  11: { code: "EAGAIN", name: "WouldBlock" },
  12: { code: "ENOMEM" },
  13: { code: "EACCES", name: "PermissionDenied" },
  14: { code: "EFAULT" },
  20: { code: "ENOTDIR", name: "NotADirectory" },
  22: { code: "EINVAL" },
  23: { code: "ENFILE" },
  24: { code: "EMFILE" },
  32: { code: "EPIPE", name: "BrokenPipe" },
  71: { code: "EPROTO" },
  88: { code: "ENOTSOCK" },
  91: { code: "EPROTOTYPE" },
  95: { code: "EOPNOTSUPP" },
  97: { code: "EAFNOSUPPORT" },
  98: { code: "EADDRINUSE", name: "AddrInUse" },
  99: { code: "EADDRNOTAVAIL", name: "AddrNotAvailable" },
  100: { code: "ENETDOWN" },
  101: { code: "ENETUNREACH", name: "NetworkUnreachable" },
  103: { code: "ECONNABORTED", name: "ConnectionAborted" },
  104: { code: "ECONNRESET", name: "ConnectionReset" },
  105: { code: "ENOBUFS" },
  107: { code: "ENOTCONN", name: "NotConnected" },
  110: { code: "ETIMEDOUT", name: "TimedOut" },
  111: { code: "ECONNREFUSED", name: "ConnectionRefused" },
  112: { code: "EHOSTDOWN" },
  113: { code: "EHOSTUNREACH" },
};

/** The error of a system call that failed with `errno`. */
export function systemError(errno: number): Error {
  const { code, name } = KINDS[errno] ?? {};
  const pointer = cLibrary().strerror(errno);
  const text = pointer === null ? "Unknown error" : Deno.UnsafePointerView.getCString(pointer);
  const message = `${text} (os error ${errno})`;
  const error = name === undefined ? new Error(message) : new Deno.errors[name](message);
  return code === undefined ? error : Object.assign(error, { code });
}
