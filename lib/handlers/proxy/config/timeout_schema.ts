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

/** How long upstreams and clients may take. */
export const timeoutKeys = {
  connect: time().prefault("5s").describe("Longest time to open a connection to an upstream; 0 is no limit."),
  read: time().prefault("60s").describe(
    "Longest time until the head of a response, and longest silence in its body; 0 is no limit.",
  ),
  write: time().prefault("30s").describe("Longest silence while a request is sent; 0 is no limit."),
  client: time().prefault("60s").describe(
    "Longest time in which a client neither sends its body nor reads the response; 0 is no limit.",
  ),
  min_upload_rate: rate().default(500).describe(
    "Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none.",
  ),
};

/** `[sites.proxy.timeout]`. */
export const timeoutSchema = table(timeoutKeys);
