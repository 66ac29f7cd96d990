/**
 * Ports of loopback.
 *
 * @module
 */

/** Below the ports that systems give to who asks for any, so that nobody else gets one of these meanwhile. */
const FIRST_PORT = 10_000;
const BLOCKS = 440;
/** The first port of a block is the lock on the others. */
const BLOCK_PORTS = 50;

/**
 * Test files run at the same time, and what a test starts may listen seconds after the test chose its port. So each file
 * has a block for itself as long as it runs. Taken when the module is loaded, as a listener that a test opened would be a leak.
 */
const { block, lock: _lock } = takeBlock();
let next = 1 + Math.floor(Math.random() * (BLOCK_PORTS - 1));

/** A port that nothing listens on, and that no listener on port 0, no outgoing connection and no other test file is given. */
export function freePort(): number {
  for (let tries = 1; tries < BLOCK_PORTS; tries++) {
    const port = block + next;
    next = next % (BLOCK_PORTS - 1) + 1;
    if (portIsFree(port)) return port;
  }
  throw new Error(`no port of ${block + 1} to ${block + BLOCK_PORTS - 1} is free`);
}

/** Whether nothing listens on a port. */
export function portIsFree(port: number): boolean {
  const listener = listenOn(port);
  listener?.close();
  return listener !== undefined;
}

function takeBlock(): { block: number; lock: Deno.Listener } {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let tried = 0; tried < BLOCKS; tried++) {
    const block = FIRST_PORT + (start + tried) % BLOCKS * BLOCK_PORTS;
    const lock = listenOn(block);
    if (lock !== undefined) return { block, lock };
  }
  throw new Error("all blocks of ports are taken");
}

function listenOn(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return undefined;
    throw error;
  }
}
