/**
 * The key `tls` of `[[sites]]`: how a site speaks TLS with its clients, and where its certificates come from.
 *
 * @module
 */

import { z } from "zod";
import { choice, type Fault, flag, judged, list, table, tables, text } from "../../config/fields.ts";
import { isHostName, normalHost } from "../../config/host_pattern.ts";

const NAME = 'a host name such as "example.com" or "*.example.com"';
const PEM_FILE = "the path of a PEM file";
const PROTOCOLS = ["h2", "http/1.1"] as const;

const certificateFilesSchema = table({
  cert_file: text(PEM_FILE).describe("PEM file of the certificate, with its intermediate certificates behind it."),
  key_file: text(PEM_FILE).describe("PEM file of its private key."),
});

const clientAuthSchema = table({
  mode: choice(["require", "request"]).default("require").describe(
    "Refuse clients without a certificate that verifies, or only ask for one.",
  ),
  ca_file: text(PEM_FILE).describe("PEM file of the authorities that issue the certificates of clients."),
  headers: flag().default(false).describe(
    "Tell upstreams of the certificate in X-Client-Cert-Verify, -Subject, -Issuer, -Serial and -Fingerprint. What clients " +
      "send in these fields is always removed.",
  ),
});

const tlsTableSchema = table({
  cert_file: text(PEM_FILE).optional().describe(
    "PEM file of the certificate, with its intermediate certificates behind it; read again when it changes.",
  ),
  key_file: text(PEM_FILE).optional().describe("PEM file of its private key."),
  certificates: tables(certificateFilesSchema).prefault([]).describe(
    "More certificates: the one whose name fits is used, exact names before wildcards.",
  ),
  issuer: choice(["acme", "internal"]).optional().describe(
    "Who issues the certificates of a site that names no files: authorities by ACME, or the local authority. Without it, ACME " +
      "for public names, and the local authority for localhost, IP addresses and names of internal networks.",
  ),
  names: list(judged(nameFault, NAME).transform(normalHost)).prefault([]).describe(
    "Names to get certificates for, in addition to the host names of the site.",
  ),
  on_demand: flag().default(false).describe(
    "Get a certificate when a client first asks for a name, if acme.on_demand.ask allows it.",
  ),
  min_version: choice(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2").describe("Lowest version of TLS."),
  alpn: list(choice(PROTOCOLS)).min(1, { error: "at least one protocol" }).prefault([...PROTOCOLS]).describe(
    "Protocols to offer, the preferred one first.",
  ),
  strict_sni: flag().default(false).describe(
    "Refuse handshakes for names that no site of the port has, instead of sending the certificate of the default site. Enough " +
      "in one site of a port.",
  ),
  client_auth: clientAuthSchema.optional().describe("Certificates of clients."),
});

/** `[sites.tls]`, after defaults. */
export type TlsTable = z.output<typeof tlsTableSchema>;

const WORDS = ["auto", "acme", "internal", "off"] as const;
const EXPECTED = 'one of "auto", "acme", "internal", "off", or a table [sites.tls]';

/** `tls` of a site: a table, or a word in its place. */
export const tlsSchema = z.union([z.enum(WORDS), tlsTableSchema], { error: EXPECTED }).transform(asTable);

function asTable(value: (typeof WORDS)[number] | TlsTable): TlsTable | "off" {
  if (typeof value !== "string" || value === "off") return value;
  return tlsTableSchema.parse(value === "auto" ? {} : { issuer: value });
}

function nameFault(value: string): Fault | undefined {
  const bare = value.startsWith("*.") ? value.slice(2) : value;
  return isHostName(bare) ? undefined : { expected: NAME };
}

/** The keys, for the composed table. */
export const tlsKeys = {
  tls: tlsSchema.optional().describe(
    'TLS with clients. A word in place of the table: "acme" or "internal" says who issues the certificates, "auto" is an empty ' +
      'table, "off" is cleartext. Without it, a site with a host name on port 443 has "auto", any other cleartext.',
  ),
};

/** How a site speaks TLS, after defaults. */
export type SiteTls = z.output<typeof tlsSchema>;
