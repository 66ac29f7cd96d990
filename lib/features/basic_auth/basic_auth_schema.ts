/**
 * The table `basic_auth`.
 *
 * @module
 */

import { z } from "zod";
import { fieldValue, flag, integer, judged, table, text, token } from "../../config/fields.ts";
import { HASH, hashFault } from "./hash_kind.ts";

/** The keys of `basic_auth`. */
export const basicAuthKeys = table({
  enabled: flag().default(true).describe("Whether passwords are asked for."),
  users: z.record(text("the name of a user"), judged(hashFault, HASH), { error: "a table of users and hashes" })
    .prefault({}).describe("Users and the hashes of their passwords, as `bws hash-password` makes them."),
  users_file: text("the path of a file").optional().describe(
    "A file of users and hashes in the format of htpasswd. Read again when it changes.",
  ),
  realm: fieldValue().default("Restricted").describe("What browsers show when they ask for the password."),
  user_header: token("the name of a header field").optional().describe(
    "Field in which upstreams get the user's name; one that a client sends is removed.",
  ),
  forward_credentials: flag().default(false).describe("Whether upstreams get the Authorization field."),
  attempts_per_minute: integer(1, 10_000).default(20).describe(
    "Passwords that one address may try in a minute; right ones are remembered, and do not count again.",
  ),
});

/** `basic_auth`, after defaults. */
export type BasicAuthConfig = z.output<typeof basicAuthKeys>;
