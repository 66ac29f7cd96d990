/**
 * The thread that compresses old log files.
 *
 * @module
 */

import { gzipFile } from "./gzip_file.ts";

// The types of the runtime are those of a window; only workers load this module.
const scope = self as unknown as Worker;

scope.onmessage = ({ data: path }: MessageEvent<string>) => {
  gzipFile(path).then(() => scope.postMessage("done"), () => scope.postMessage("failed"));
};
scope.postMessage("ready");
