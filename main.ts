/**
 * The program: `bws`, or `deno run -A main.ts`.
 *
 * @module
 */

import { guardDebugger, ignoreSignals } from "./lib/cli/signals.ts";

if (import.meta.main) {
  ignoreSignals();
  guardDebugger();
  // The rest takes a while to load, and a signal meanwhile would end the process.
  const { main } = await import("./lib/cli/main.ts");
  Deno.exit(await main(Deno.args));
}
