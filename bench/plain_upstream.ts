/**
 * The upstream where nginx is not installed, as a program: `PORT`.
 *
 * @module
 */

import { filler, GREETING } from "./upstream_server.ts";

if (import.meta.main) {
  const bodies: Record<string, Uint8Array<ArrayBuffer>> = {
    "64k": new Uint8Array(filler(65_536)),
    "1m": new Uint8Array(filler(1_048_576)),
  };
  Deno.serve({ hostname: "0.0.0.0", port: Number(Deno.args[0]), onListen() {} }, async (request, info) => {
    if (!info.remoteAddr.hostname.startsWith("127.")) return new Response(null, { status: 403 });
    if (request.method === "POST") await request.bytes();
    const path = request.url.slice(request.url.indexOf("/", 8));
    return path.startsWith("/body/") ? new Response(bodies[path.slice(6)]) : new Response(GREETING);
  });
}
