/**
 * As many WebSocket messages as an echo gives back, as a program: `PORT SOCKETS SECONDS BYTES`. Each socket has one message
 * on its way at a time. Prints how many came back, as JSON.
 *
 * @module
 */

import { SocketClient } from "./socket_client.ts";

/** What came of it. */
export interface SocketLoad {
  /** Messages that came back. */
  echoes: number;
  /** In this time, in seconds. */
  seconds: number;
}

/** Path of WebSockets. */
export const SOCKET_PATH = "/socket";

if (import.meta.main) {
  const [port, sockets, seconds, bytes] = Deno.args.map(Number);
  const plan = { path: SOCKET_PATH, messageBytes: bytes };
  const clients = Array.from({ length: sockets }, () => new SocketClient(port, plan));
  await Promise.all(clients.map((client) => client.open()));
  let echoes = 0;
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  await Promise.all(clients.map(async (client) => {
    while (performance.now() < endMs) {
      await client.exchange();
      echoes++;
    }
  }));
  const load: SocketLoad = { echoes, seconds: (performance.now() - startMs) / 1000 };
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(load) + "\n"));
  Deno.exit(0);
}
