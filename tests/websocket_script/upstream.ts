/**
 * An upstream of `test_websocket_proxy.sh`: `upstream.ts PORT`. Its name is its port. It greets, sends back what it gets,
 * closes when it is told to, and prints how each WebSocket ended. Below `/nobody` it refuses.
 *
 * @module
 */

import { SampleSockets } from "../../lib/demo/sample_sockets.ts";

const name = Deno.args[0];
const sockets = new SampleSockets(name, ({ code, reason }) => {
  Deno.stdout.writeSync(new TextEncoder().encode(`ended ${code} ${reason}\n`));
});

Deno.serve({ hostname: "127.0.0.1", port: Number(name), onListen: () => {} }, (request) => {
  const { pathname } = new URL(request.url);
  if (pathname.startsWith("/nobody")) return new Response(`nobody at ${name}\n`, { status: 404 });
  if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return sockets.accept(request);
  return new Response(`plain HTTP at ${pathname}\n`);
});
