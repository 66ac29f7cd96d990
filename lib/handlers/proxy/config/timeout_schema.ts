/**
 * The tables `[sites.proxy.timeout]` and `[sites.proxy.routes.timeout]`.
 *
 * @module
 */

import { z } from "zod";
import { duration, table } from "../../../config/fields.ts";

const RATE = "a whole number of bytes a second, 0 or more";

const time = () => duration({ zero: true });
const rate = () => z.int({ error: RATE }).min(0, { error: RATE });

const CONNECT = "Longest time to open a connection to an upstream; 0 is no limit.";
const READ = "Longest time until the head of an answer is there, and longest silence in its body; 0 is no limit.";
const WRITE = "Longest silence while a request is sent; 0 is no limit.";
const CLIENT = "Longest time that a client neither sends its body nor takes the answer; 0 is no limit.";
const UPLOAD =
  "Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none.";

/** `[sites.proxy.timeout]`: how long upstreams and clients may take. */
export const timeoutSchema = table({
  connect: time().prefault("5s").describe(CONNECT),
  read: time().prefault("60s").describe(READ),
  write: time().prefault("30s").describe(WRITE),
  client: time().prefault("60s").describe(CLIENT),
  min_upload_rate: rate().default(500).describe(UPLOAD),
});

/** `[sites.proxy.routes.timeout]`: what is different for one route. */
export const routeTimeoutSchema = table({
  connect: time().optional().describe(CONNECT),
  read: time().optional().describe(READ),
  write: time().optional().describe(WRITE),
  client: time().optional().describe(CLIENT),
  min_upload_rate: rate().optional().describe(UPLOAD),
});
