/**
 * A Socket.IO server of the name in the first argument, as a process of its own: says its port. `echo` gives back what it
 * is asked with and the server's name, `shout` is heard by all.
 *
 * @module
 */

import { createServer } from "node:http";
import { Server } from "npm:socket.io@4.8.4";

if (import.meta.main) {
  const listener = createServer();
  const server = new Server(listener, { perMessageDeflate: true });
  server.on("connection", (socket) => {
    socket.on("echo", (value: unknown, answer: (value: unknown, name: string) => void) => answer(value, Deno.args[0]));
    socket.on("shout", (word: string) => server.emit("heard", word));
  });
  listener.listen(0, "127.0.0.1", () => {
    const address = listener.address();
    if (typeof address !== "object" || address === null) throw new Error(`It listens at ${address}, expected a port`);
    Deno.stdout.writeSync(new TextEncoder().encode(`${address.port}\n`));
  });
}
