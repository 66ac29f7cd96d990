/**
 * `deno task generate`: writes the files that are made of others.
 *
 * @module
 */

import { configReferenceText } from "./support/config_reference.ts";
import { configTypesText } from "./support/config_types.ts";

const ROOT = new URL("../", import.meta.url);

await Deno.writeTextFile(new URL("lib/generation/config/config_types.ts", ROOT), await configTypesText());
await Deno.writeTextFile(new URL("docs/config.md", ROOT), await configReferenceText());
