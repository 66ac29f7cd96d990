/**
 * The thread in which `parseConfigAside` parses a config.
 *
 * @module
 */

import type { ParseMessage, ParseRequest } from "./parse_aside.ts";
import { parseConfig } from "./parse_config.ts";

// The types of the runtime are those of a window; only workers load this module.
const scope = self as unknown as Worker;
const post = (message: ParseMessage) => scope.postMessage(message);

scope.onmessage = ({ data }: MessageEvent<ParseRequest>) => post(parseConfig(data.text, data.options));
post("ready");
