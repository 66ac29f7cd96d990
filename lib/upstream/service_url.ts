/**
 * The `url` of a service that BWS itself asks: `http://host[:port][/path][?query]`, `https://…`, or
 * `unix:/path/of.sock[:/path]`.
 *
 * @module
 */

import type { Fault } from "../config/fields.ts";
import { upstreamUrlFault } from "./upstream_url.ts";

/** What such a URL must be, for messages. */
export const SERVICE_URL =
  'a URL such as "http://127.0.0.1:4180/oauth2/auth", with https://, or "unix:/run/auth.sock:/path"';

/** What is wrong with the URL of a service. */
export function serviceUrlFault(url: string): Fault | undefined {
  if (/^(?:srv\+|h2c:)/i.test(url)) return { expected: SERVICE_URL };
  const [, address, target = ""] = PARTS.exec(url) ?? [];
  if (address === undefined) return upstreamUrlFault(url) ?? { expected: SERVICE_URL };
  if (!/^[\x21-\x22\x24-\x7e]*$/.test(target)) {
    return { expected: "a URL without spaces, a fragment and characters above ASCII" };
  }
  return upstreamUrlFault(address);
}

/** The address of a service, as the URL of an upstream, and path and query of its requests. */
export function splitServiceUrl(url: string): { readonly address: string; readonly target: string } {
  const [, address = url, target = ""] = PARTS.exec(url) ?? [];
  return { address, target: target.startsWith("/") ? target : `/${target}` };
}

/** The address, and what is behind it. */
const PARTS = /^(https?:\/\/[^/?]+|unix:\/[^:]+)(?:(?:(?<=^unix.*):)?([/?].*))?$/is;
