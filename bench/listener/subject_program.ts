/**
 * BWS with one listener or the other, as a program: `LISTENER CONFIG LIMITS`, where LISTENER is `serve` (`Deno.serve`) or
 * `own`, CONFIG and LIMITS are JSON. Says its port, and for each line on standard input its resident memory.
 *
 * @module
 */

import { resolveConfig } from "../../lib/generation/config/resolve_config.ts";
import { respond } from "../../lib/listener/runtime/adapter.ts";
import { Generation, type GenerationListener } from "../../lib/generation/generation.ts";
import { SocketListener } from "../../lib/listener/own/socket_listener.ts";

if (import.meta.main) {
  const [kind, json, limits] = Deno.args;
  const { config } = resolveConfig(JSON.parse(json));
  const generation = new Generation(config);
  const where = generation.listeners[0];
  const { port } = kind === "serve" ? served(where) : new SocketListener(where, { limits: JSON.parse(limits) }).address;
  const encoder = new TextEncoder();
  await Deno.stdout.write(encoder.encode(`${port}\n`));
  const { gc } = globalThis as { gc?: () => void };
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer) !== null) {
    gc?.();
    await Deno.stdout.write(encoder.encode(`${Deno.memoryUsage().rss}\n`));
  }
  Deno.exit(0);
}

function served({ responder, address, port }: GenerationListener): Deno.NetAddr {
  const entry = { responder, ownPort: true, scheme: "http" as const };
  const options = { hostname: address, port, onListen: () => {} };
  return Deno.serve(options, (request, info) => respond(request, info, entry)).addr;
}
