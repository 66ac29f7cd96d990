/**
 * The tables `[[sites]]`.
 *
 * @module
 */

import { z } from "zod";
import {
  duration,
  type Fault,
  fieldValue,
  flag,
  integer,
  judged,
  list,
  matching,
  size,
  slashPath,
  table,
  tables,
  text,
  token,
} from "./fields.ts";
import { headerTable, ownFault } from "./header_fields.ts";
import { hostPatternFault, normalHost } from "./host_pattern.ts";
import { isIpAddress } from "../http/ip_address.ts";
import { proxySchema } from "./proxy_schema.ts";

const HOST = "a host name";
const ADDRESS = "an IP address without brackets";
const ERROR_STATUS = "a status from 400 to 599";
const INTERNAL_API = 'true, false, or a path prefix that begins with "/"';
const TRY_FILE = 'a path that begins with "/" or "$path", or "=404"';
const TRY_FILE_FORM = /^(?:\/.*|\$path(?:[./].*)?|=404)$/;
const EXTENSION = 'a file extension such as "css"';
const FILE_NAME = "a file name without a folder and without spaces";
const TEN_YEARS_MS = 3_653 * 86_400_000;

function tryFileFault(value: string): Fault | undefined {
  if (TRY_FILE_FORM.test(value)) return undefined;
  const file = /^(?:\.\/)?(\w[\w./-]*\.\w+)$/.exec(value)?.[1];
  return { expected: TRY_FILE, suggestion: file === undefined ? undefined : `/${file}` };
}

function listenFault(value: string): Fault | undefined {
  if (isIpAddress(value)) return undefined;
  const bare = /^\[(.*)\]$/.exec(value)?.[1] ?? "";
  if (isIpAddress(bare)) return { expected: ADDRESS, suggestion: bare };
  const port = /^(?:.*:)?\d{1,5}(?:\s|$)/.test(value);
  return { expected: port ? `${ADDRESS}; the port is a key of its own` : ADDRESS };
}

function extensionFault(value: string): Fault | undefined {
  if (/^\.?[^./\s*]+(?:\.[^./\s*]+)*$/.test(value)) return undefined;
  return { expected: EXTENSION, suggestion: /^\*?\.(\w+)$/.exec(value)?.[1] };
}

const hostSchema = () => judged(hostPatternFault, HOST).transform(normalHost);

const cacheRuleSchema = table("sites.cache.rules", {
  path: slashPath().optional().describe("Prefix of the paths that the rule is for."),
  extensions: list(judged(extensionFault, EXTENSION, "^\\.?[^./\\s*]+(\\.[^./\\s*]+)*$")).optional()
    .describe("Extensions of the files that the rule is for, with or without a dot."),
  control: fieldValue().min(1, { error: "a Cache-Control value" }).describe("Value of Cache-Control."),
});

const cacheSchema = table("sites.cache", {
  control: fieldValue().min(1, { error: "a Cache-Control value" }).optional()
    .describe("Value of Cache-Control for every file."),
  max_age: duration({ zero: true, maxMs: TEN_YEARS_MS }).optional()
    .describe('How long caches may keep a file: "public, max-age=N".'),
  rules: tables("sites.cache.rules", cacheRuleSchema).prefault([])
    .describe("Values for some files; the first rule that fits wins, with path and extensions where it has both."),
});

const requestIdSchema = table("sites.request_id", {
  header: token("a header name", ownFault).default("X-Request-Id").describe(
    "Name of the field that carries the id of a request: from trusted_proxies, to upstreams and to clients.",
  ),
  trust: flag().default(true).describe("Keep the id that an upstream puts on its response, instead of the request's."),
});

/** One site: a virtual host that serves files, proxies, or both. */
export const siteSchema = table("sites", {
  name: text().optional().describe("Name in logs and metrics; without it, the first host name."),
  hostname: hostSchema().optional().describe('Host name: exact, "*.example.com", an IP address, or "*" for any.'),
  hostnames: list(hostSchema()).prefault([]).describe("More host names; a site without any answers for all."),
  port: integer(0, 65535).default(8080).describe(
    "Port to listen on; sites may share it. 0 is any free one, for this site alone.",
  ),
  listen: judged(listenFault, ADDRESS).optional()
    .describe("IP address to listen on; without it, all interfaces of both families."),
  default: flag().default(false).describe("Whether the site answers for hosts that no site of the port names."),
  static_dir: text("the path of a folder").optional().describe("Folder whose files are served."),
  index_files: list(matching(/^(?!\.{1,2}$)[^/\\\s]+$/, FILE_NAME)).prefault(["index.html"])
    .describe("Names of the files that stand for their folder, the first that is there."),
  browse: flag().default(false).describe("Whether folders without an index file are listed."),
  try_files: list(judged(tryFileFault, TRY_FILE, TRY_FILE_FORM.source)).prefault([])
    .describe('What to look for, in order; "$path" stands for the path of the request, and "=404" may end the list.'),
  dotfiles: flag().default(false).describe("Whether files whose name begins with a dot are served."),
  follow_symlinks: flag().default(false).describe("Whether links may lead out of static_dir."),
  precompressed: flag().default(true).describe(
    "Whether .br, .zst and .gz files beside a file are served in its place.",
  ),
  headers: headerTable("sites.headers").prefault({}).describe("Header fields of every response of the site."),
  request_id: requestIdSchema.prefault({}).describe("How requests are named in logs and header fields."),
  error_pages: z.record(matching(/^[45]\d\d$/, ERROR_STATUS), text("the path of a file"), {
    error: "a table of statuses and files, written [sites.error_pages]",
  }).prefault({}).describe("Files to answer with, by status."),
  max_body_size: size().optional().describe("Largest request body; overrides the server's."),
  internal_api: z.union([flag(), slashPath(INTERNAL_API)], { error: INTERNAL_API })
    .default(true)
    .describe("Whether the site answers /api/health and its like, or the prefix that takes the place of /api."),
  cache: cacheSchema.prefault({}).describe("What caches are told about files."),
  proxy: proxySchema.optional().describe("What is proxied."),
});

/** A site, after defaults. Its name is set and unique, its host names are in lower case, its paths are absolute. */
export type SiteConfig = z.output<typeof siteSchema> & { name: string };

/** Gives sites without a name their first host name, or `site-N`, and keeps names unique. */
export function nameSites(sites: z.output<typeof siteSchema>[]): SiteConfig[] {
  const taken = new Set(sites.flatMap((site) => site.name ?? []));
  return sites.map((site, index) => {
    if (site.name !== undefined) return { ...site, name: site.name };
    const host = site.hostname ?? site.hostnames[0];
    const numbered = `site-${index + 1}`;
    const candidates = host === undefined
      ? [numbered]
      : [host, `${host}:${site.port}`, `${host}:${site.port} ${numbered}`];
    const name = candidates.find((candidate) => !taken.has(candidate)) ?? `${candidates[0]} ${numbered}`;
    taken.add(name);
    return { ...site, name };
  });
}
