/**
 * `deno task generate`: writes the files that are made of others.
 *
 * @module
 */

import { configTypesText } from "./support/config_types.ts";

await Deno.writeTextFile(new URL("../lib/generation/config/config_types.ts", import.meta.url), await configTypesText());
