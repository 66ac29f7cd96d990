/**
 * A Vite dev server over a folder, as a process of its own: says its port.
 *
 * @module
 */

import { createServer } from "npm:vite@8.3.8";

if (import.meta.main) {
  const server = await createServer({
    root: Deno.args[0],
    cacheDir: `${Deno.args[0]}/.cache`,
    configFile: false,
    logLevel: "warn",
    server: { host: "127.0.0.1", port: 0 },
  });
  await server.listen();
  const address = server.httpServer?.address();
  if (typeof address !== "object" || address === null) throw new Error(`Vite listens at ${address}, expected a port`);
  await Deno.stdout.write(new TextEncoder().encode(`${address.port}\n`));
}
