/**
 * Exchanges two paths, atomically and as quickly as it can, until it is killed: `swap_program.ts <one> <other>`.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
});
const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;

const [one, other] = Deno.args.map((path) => new TextEncoder().encode(path + "\0"));
Deno.stdout.writeSync(new TextEncoder().encode("swapping\n"));
while (libc.symbols.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) === 0);
throw new Error("Cannot exchange the paths");
