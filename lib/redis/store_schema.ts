/**
 * The table `[store]`: a Redis that several machines have in common.
 *
 * @module
 */

import type { z } from "zod";
import { duration, judged, matching, table, text } from "../config/fields.ts";
import { parseRedisUrl, REDIS_URL } from "./redis_url.ts";

/** `[store]`. */
export const storeSchema = table({
  url: judged((value) => parseRedisUrl(value) === undefined ? { expected: REDIS_URL } : undefined, REDIS_URL).describe(
    "URL of the Redis, with user, password and number of the database if it has them: redis://user:password@host:6379/0; rediss:// for TLS.",
  ),
  username: text().optional().describe("User to log in as, in place of one in the URL."),
  password: text().optional().describe("Password to log in with, in place of one in the URL."),
  ca_file: text("the path of a PEM file").optional().describe(
    "PEM file of CA certificates to trust for rediss://, in addition to the system's.",
  ),
  prefix: matching(/^[\x21-\x7e]{0,100}$/, "up to 100 letters, digits and signs").default("bws:").describe(
    "Text that all keys begin with: those of one prefix share certificates.",
  ),
  timeout: duration().prefault("5s").describe("Longest time for connecting, and for a reply."),
});

/** `[store]`, after defaults. */
export type StoreConfig = z.output<typeof storeSchema>;
