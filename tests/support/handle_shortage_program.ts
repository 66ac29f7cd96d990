/**
 * Serves a file of a folder once no file handle is left, and prints the status and Retry-After.
 *
 * @module
 */

import { createHandler } from "../../lib/process/create_handler.ts";

// The runtime panics where it first sets up signals without a handle, which it does by itself a moment after the start.
const listener = () => {};
Deno.addSignalListener("SIGUSR2", listener);
Deno.removeSignalListener("SIGUSR2", listener);
const handler = createHandler({ sites: [{ static_dir: Deno.args[0] }] });
const handles: Deno.FsFile[] = [];
try {
  for (;;) handles.push(Deno.openSync("/dev/null"));
} catch {
  // None is left.
}
const response = await handler(new Request("http://a.test/a.txt"));
await response.body?.cancel();
for (const handle of handles) handle.close();
Deno.stdout.writeSync(new TextEncoder().encode(`${response.status} ${response.headers.get("retry-after")}\n`));
