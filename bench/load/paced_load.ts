/**
 * Load at a fixed rate, as a program: reads plans from stdin, one a line as JSON, and prints what came of each. Requests come
 * when they are due, whether earlier ones are answered or not, and their time counts from when they were due: an open loop,
 * so that a proxy that stalls is charged for all who would have waited. Without a rate, a connection asks again once it has
 * its response: a closed loop.
 *
 * It shares a core with the upstream, so it sleeps until something is due.
 *
 * @module
 */

import { BlockingLoop } from "./blocking_loop.ts";
import { LoadRun } from "./load_run.ts";

if (import.meta.main) {
  const loop = new BlockingLoop();
  for (const line of inputLines()) {
    const outcome = new LoadRun(loop, JSON.parse(line)).run();
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(outcome) + "\n"));
  }
  Deno.exit(0);
}

/** The lines of stdin. Reads block: nothing else is to be done meanwhile. */
function* inputLines(): Generator<string> {
  const buffer = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  let text = "";
  for (let count = Deno.stdin.readSync(buffer); count !== null; count = Deno.stdin.readSync(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
    }
  }
}
