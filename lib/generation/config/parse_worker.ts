/**
 * The thread in which `parseConfigAside` has a config parsed.
 *
 * @module
 */

import type { ParseMessage, ParseRequest } from "./parse_aside.ts";
import { parseConfig } from "./parse_config.ts";

// The types of the runtime are those of a window; this module is loaded by a worker alone
const scope = self as unknown as Worker;
const post = (message: ParseMessage) => scope.postMessage(message);

scope.onmessage = ({ data }: MessageEvent<ParseRequest>) => post(parseConfig(data.text, data.options));
post("ready");
