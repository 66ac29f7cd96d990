/**
 * The program: `bws`, or `deno run -A main.ts`.
 *
 * @module
 */

import { main } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));
