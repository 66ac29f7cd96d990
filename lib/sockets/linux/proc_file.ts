/**
 * Files of this process in /proc, for which the runtime asks all permissions, by the C library.
 *
 * @module
 */

import { openLibrary } from "./c_library.ts";

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const O_RDONLY_CLOEXEC = 0x80000;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/** The text of a file below `/proc/self`; empty if there is none. */
export function readProc(name: string): string {
  const { open, read, close } = opened ??= openLibrary(SYMBOLS);
  const file = open(new TextEncoder().encode(`/proc/self/${name}\0`), O_RDONLY_CLOEXEC);
  if (file < 0) return "";
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  let text = "";
  for (let count; (count = Number(read(file, buffer, BigInt(buffer.length)))) > 0;) {
    text += decoder.decode(buffer.subarray(0, count));
  }
  close(file);
  return text;
}
