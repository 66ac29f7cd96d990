/**
 * A program with uncaught errors; run by commands_test.ts.
 *
 * @module
 */

import { logUncaughtErrors } from "../../lib/log/uncaught_errors.ts";
import { Log } from "../../lib/log/log.ts";
import { openSink } from "../../lib/log/open_sink.ts";

const log = new Log(openSink("stdout"));
logUncaughtErrors(log);
setTimeout(() => {
  throw new Error("thrown in a timer");
});
setTimeout(() => {
  new ReadableStream({ pull: () => Promise.reject(new Error("rejected by a stream")) }).getReader().read();
}, 5);
