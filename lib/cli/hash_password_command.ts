/**
 * `bws hash-password`: the hash of a password for `basic_auth`.
 *
 * @module
 */

import { hashPassword } from "../features/basic_auth/password_hash.ts";
import { type CommandInput, UsageError } from "./command.ts";

/** Most bytes of a password that bcrypt looks at. */
const BCRYPT_BYTES = 72;

/**
 * Reads a password, hidden from a terminal, else a line of the standard input, and prints its hash. It is not taken from the
 * arguments, which every user of the machine can see.
 *
 * @throws {UsageError} The password is empty, or longer than bcrypt looks at.
 */
export async function hashPasswordCommand({ flags, terminal }: CommandInput): Promise<number> {
  const bcrypt = flags.has("bcrypt");
  const password = Deno.stdin.isTerminal() ? await typed() : await firstLine();
  if (password === "") throw new UsageError("The password is empty, expected one on the standard input");
  const { length } = new TextEncoder().encode(password);
  if (bcrypt && length > BCRYPT_BYTES) {
    throw new UsageError(`The password has ${length} bytes, expected at most ${BCRYPT_BYTES} with --bcrypt`);
  }
  terminal.print(await hashPassword(password, bcrypt ? "bcrypt" : "argon2id"));
  return 0;
}

async function firstLine(): Promise<string> {
  const text = await new Response(Deno.stdin.readable).text();
  return text.split(/\r?\n/)[0];
}

/** A line that is typed without being shown. */
async function typed(): Promise<string> {
  const { stdin, stderr } = Deno;
  const encoder = new TextEncoder();
  await stderr.write(encoder.encode("Password: "));
  stdin.setRaw(true, { cbreak: true });
  const bytes: number[] = [];
  try {
    const buffer = new Uint8Array(256);
    reading:
    for (;;) {
      const count = await stdin.read(buffer);
      if (count === null) break;
      for (const byte of buffer.subarray(0, count)) {
        if (byte === 0x0a || byte === 0x0d || byte === 0x04) break reading;
        if (byte === 0x7f || byte === 0x08) removeLastCharacter(bytes);
        else bytes.push(byte);
      }
    }
  } finally {
    stdin.setRaw(false);
    await stderr.write(encoder.encode("\n"));
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

function removeLastCharacter(bytes: number[]): void {
  let byte = bytes.pop();
  while (byte !== undefined && byte >= 0x80 && byte < 0xc0) byte = bytes.pop();
}
