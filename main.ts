/**
 * The program: `bws`, or `deno run -A main.ts`.
 *
 * @module
 */

import { guardDebugger, ignoreSignals } from "./lib/cli/signals.ts";

if (import.meta.main) {
  ignoreSignals();
  guardDebugger();
  // Loaded after `ignoreSignals`: loading takes a while, and a signal during that time would end the process.
  const { main } = await import("./lib/cli/main.ts");
  Deno.exit(await main(Deno.args));
}
