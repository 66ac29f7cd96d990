/**
 * The table `access`: which addresses of clients are let in.
 *
 * @module
 */

import type { z } from "zod";
import { choice, type Fault, judged, list, table, text } from "../../config/fields.ts";
import { parseNetwork } from "../../http/ip_address.ts";

const NETWORK = 'an IP address, a network such as "10.0.0.0/8", or "all"';
const RULE = '"allow" or "deny", and behind it an IP address, a network such as "10.0.0.0/8", or "all"';

/** The keys of `access`. */
export const accessKeys = table({
  rules: list(judged(ruleFault, RULE)).prefault([]).describe(
    'Rules in their order, such as "deny 10.0.0.13", "allow 10.0.0.0/8", "deny all": the first one that fits decides. They are ' +
      "looked at before the lists below.",
  ),
  deny: networks().describe("Addresses and networks that are refused."),
  allow: networks().describe(
    "Addresses and networks that are let in. With this key, or allow_file, all others are refused.",
  ),
  deny_file: text("the path of a file").optional().describe(
    "A file with addresses and networks that are refused, one a line, # before a comment. Read again when it changes.",
  ),
  allow_file: text("the path of a file").optional().describe("A file with addresses and networks that are let in."),
  action: choice(["forbid", "drop"]).default("forbid").describe(
    "What those who are refused get: 403, or nothing: the connection is closed.",
  ),
});

/** `access`, after defaults. */
export type AccessConfig = z.output<typeof accessKeys>;

function networks() {
  return list(judged(networkFault, NETWORK), "a list of addresses and networks").prefault([]);
}

function networkFault(value: string): Fault | undefined {
  if (value === "all" || parseNetwork(value) !== undefined) return undefined;
  return { expected: NETWORK };
}

function ruleFault(value: string): Fault | undefined {
  const [verdict, network, rest] = value.trim().split(/\s+/);
  if ((verdict === "allow" || verdict === "deny") && network !== undefined && rest === undefined) {
    return networkFault(network);
  }
  const [first, second] = [verdict, network].map((word) => word?.toLowerCase());
  const suggestion = first === "deny" || first === "allow" ? second && `${first} ${second}` : undefined;
  return { expected: RULE, suggestion };
}
