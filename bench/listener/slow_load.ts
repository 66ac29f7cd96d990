/**
 * Clients that hold connections on purpose.
 *
 * @module
 */

/** What a slow client does. */
export interface SlowClient {
  /** How it is called. */
  readonly name: string;
  /** What it sends at first. */
  readonly opening: string;
  /** What it sends every half second. */
  readonly trickle: string;
}

/** Those that are tried. None reads what it is sent. */
export const SLOW_CLIENTS: readonly SlowClient[] = [
  { name: "sends nothing", opening: "", trickle: "" },
  { name: "half a head, a line each 0.5 s", opening: "GET / HTTP/1.1\r\nHost: site.test\r\n", trickle: "X: y\r\n" },
  {
    name: "half a body, a byte each 0.5 s",
    opening: "POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: 99999\r\n\r\n",
    trickle: "x",
  },
  {
    name: "half a body, then nothing",
    opening: "POST /upload HTTP/1.1\r\nHost: site.test\r\nContent-Length: 9\r\n\r\nx",
    trickle: "",
  },
  { name: "idles after an answer", opening: "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n", trickle: "" },
  {
    name: "takes nothing of 64 answers",
    opening: "GET /64k HTTP/1.1\r\nHost: site.test\r\n\r\n".repeat(64),
    trickle: "",
  },
];

/** Opens `count` such clients and gives how many the server still holds after `seconds`. */
export async function heldAfter(
  { opening, trickle }: SlowClient,
  { port, count, seconds }: { port: number; count: number; seconds: number },
): Promise<number> {
  const encoder = new TextEncoder();
  const conns = await Promise.all(Array.from({ length: count }, async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    if (opening !== "") await conn.write(encoder.encode(opening));
    return conn;
  }));
  for (let step = 0; step < seconds * 2; step++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (trickle === "") continue;
    await Promise.all(conns.map((conn) => conn.write(encoder.encode(trickle)).catch(() => 0)));
  }
  const held = await heldBy(port, new Set(conns.map((conn) => conn.localAddr.port)));
  for (const conn of conns) conn.close();
  return held;
}

// Counted on the server's side, where a client that reads nothing cannot tell: established, or closed by the client alone.
async function heldBy(port: number, clients: ReadonlySet<number>): Promise<number> {
  let held = 0;
  for (const line of (await Deno.readTextFile("/proc/net/tcp")).split("\n").slice(1)) {
    const [, local, remote, state] = line.trim().split(/\s+/);
    if (local === undefined || portOf(local) !== port || !clients.has(portOf(remote))) continue;
    if (state === "01" || state === "08") held++;
  }
  return held;
}

function portOf(address: string): number {
  return parseInt(address.split(":")[1], 16);
}
