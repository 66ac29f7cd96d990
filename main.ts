/**
 * The program: `bws`, or `deno run -A main.ts`.
 *
 * @module
 */

import { guardDebugger } from "./lib/cli/debugger_guard.ts";
import { ignoreSignals } from "./lib/cli/ignored_signals.ts";
import { main } from "./lib/cli/main.ts";

if (import.meta.main) {
  ignoreSignals();
  guardDebugger();
  Deno.exit(await main(Deno.args));
}
