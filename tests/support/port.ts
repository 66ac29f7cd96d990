/**
 * Ports of loopback.
 *
 * @module
 */

/** Below the ports that systems give to who asks for any, so that nobody else gets one of these meanwhile. */
const FIRST_PORT = 10_000;
const PORTS = 22_000;

/** A port that nothing listens on, and that no listener on port 0 and no outgoing connection is given. */
export function freePort(): number {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if (portIsFree(port)) return port;
  }
}

/** Whether nothing listens on a port. */
export function portIsFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
