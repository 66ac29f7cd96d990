/**
 * The table `[acme]`: from whom certificates come, and how.
 *
 * @module
 */

import type { z } from "zod";
import {
  choice,
  duration,
  type Fault,
  flag,
  integer,
  judged,
  list,
  matching,
  table,
  tables,
  text,
} from "../../config/fields.ts";

const DIRECTORY = 'an https:// URL, or one of "letsencrypt", "letsencrypt-staging", "zerossl"';
const ASK = "an http:// or https:// URL";

/** Directories that a word stands for. */
export const ACME_DIRECTORIES: Readonly<Record<string, string>> = {
  "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
  "zerossl": "https://acme.zerossl.com/v2/DV90",
};

const eabSchema = table({
  key_id: text().describe("Key identifier that the authority has given."),
  hmac_key: matching(/^[A-Za-z0-9_-]+={0,2}$/, "a key in base64url").describe("Key that the authority has given."),
});

const directorySchema = table({
  url: judged(directoryFault, DIRECTORY).describe(
    'URL of the directory, or "letsencrypt", "letsencrypt-staging" or "zerossl".',
  ),
  eab: eabSchema.optional().describe("External account binding, which some authorities require."),
  ca_file: text("the path of a PEM file").optional().describe(
    "PEM file of CA certificates to trust for the directory, in addition to the system's.",
  ),
  preferred_chain: text().optional().describe(
    "Common name of an issuer: of several chains that the authority offers, the first in which it stands is used.",
  ),
});

const onDemandSchema = table({
  ask: judged((value) => isUrl(value, ["http:", "https:"]) ? undefined : { expected: ASK }, ASK).describe(
    "URL that is asked with the query domain=NAME before a certificate is requested: 2xx allows it, anything else does not.",
  ),
  max_per_minute: integer(1, 10_000).default(10).describe("Most certificates requested a minute."),
  max_names: integer(1, 1_000_000).default(10_000).describe("Most names that have a certificate on demand at a time."),
});

/** `[acme]`: certificates of public authorities, and the storage of all certificates that BWS obtains. */
export const acmeSchema = table({
  email: matching(/^[^\s@]+@[^\s@]+$/, "an e-mail address").optional().describe(
    "Address of the account, to which authorities write.",
  ),
  agree_tos: flag().default(true).describe(
    "Whether the terms of service of the authorities are agreed to; without that they issue no certificates.",
  ),
  directories: tables(directorySchema).prefault([]).describe(
    "Authorities, in the order in which they are tried; without any, Let's Encrypt.",
  ),
  staging: flag().default(false).describe(
    "Use the staging environment of Let's Encrypt, whose certificates browsers do not trust, in place of the directories.",
  ),
  storage: text("the path of a folder").optional().describe(
    "Folder for accounts, certificates and the local authority. Without it, $STATE_DIRECTORY, or bws in the user's data folder.",
  ),
  key_type: choice(["p256", "p384", "rsa2048", "rsa4096"]).default("p256").describe("Kind of the certificates' keys."),
  http_port: integer(1, 65535).default(80).describe(
    "Port on which challenges are answered and requests are redirected to https. It is opened for sites with ACME where no site " +
      "listens on it. Authorities always connect to port 80.",
  ),
  dns_command: list(text(), "a list of texts: a program and its arguments").min(1, { error: "a program" }).optional()
    .describe(
      "Program, with arguments, that sets TXT records, as wildcards need it: called with present or cleanup, the name and the " +
        "value. With it, control of all names is proved by DNS-01, without it by HTTP-01.",
    ),
  dns_timeout: duration().prefault("60s").describe("Longest time for one call of dns_command."),
  propagation_delay: duration({ zero: true }).prefault("10s").describe(
    "How long a TXT record is given to reach the name servers of the zone.",
  ),
  on_demand: onDemandSchema.optional().describe("Certificates for names that no site lists, for sites with on_demand."),
});

/** `[acme]`, after defaults. */
export type AcmeConfig = z.output<typeof acmeSchema>;

function directoryFault(value: string): Fault | undefined {
  return Object.hasOwn(ACME_DIRECTORIES, value) || isUrl(value, ["https:"]) ? undefined : { expected: DIRECTORY };
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  const url = URL.parse(value);
  return url !== null && protocols.includes(url.protocol) && url.hostname !== "";
}
