/**
 * Requests at a fixed rate, as a program: `PORT PATH RATE SECONDS CONNECTIONS`. Prints the time that 50 and 99 of 100 were
 * answered within, in milliseconds, as JSON. Time counts from when a request was due, so that a stall is not hidden by
 * sending less.
 *
 * @module
 */

/** What came of it, in milliseconds. */
export interface PacedLoad {
  /** Median. */
  p50Ms: number;
  /** What 99 of 100 keep below. */
  p99Ms: number;
}

if (import.meta.main) {
  const [port, path, rate, seconds, connections] = Deno.args;
  const request = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
  const idle: Deno.TcpConn[] = [];
  for (let i = 0; i < Number(connections); i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    conn.setNoDelay(true);
    idle.push(conn);
  }
  const times: number[] = [];
  const due: number[] = [];
  const send = async (conn: Deno.TcpConn) => {
    const buffer = new Uint8Array(4096);
    for (let dueMs = due.shift(); dueMs !== undefined; dueMs = due.shift()) {
      await conn.write(request);
      // Answers are small: one read has all of it.
      if (await conn.read(buffer) === null) throw new Error("The connection was closed under load");
      times.push(performance.now() - dueMs);
    }
    idle.push(conn);
  };
  const startMs = performance.now();
  const total = Number(rate) * Number(seconds);
  for (let sent = 0; sent < total;) {
    const nowMs = performance.now();
    for (; sent < total && startMs + sent * 1000 / Number(rate) <= nowMs; sent++) {
      due.push(startMs + sent * 1000 / Number(rate));
      const conn = idle.pop();
      if (conn !== undefined) send(conn);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while (times.length < total) await new Promise((resolve) => setTimeout(resolve, 5));
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)];
  const load: PacedLoad = { p50Ms: at(0.5), p99Ms: at(0.99) };
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(load)));
  Deno.exit(0);
}
