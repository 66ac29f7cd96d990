/**
 * What a limit counts by: the client's address, its user, a header field, a cookie, or nothing.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import { headerValue, headerValues } from "../../http/header_lines.ts";
import { addressGroups, isMapped } from "../../http/ip_address.ts";

/** Gives the key of an exchange, by the `key` of a limit. */
export function limitKey(key: string): (exchange: Exchange) => string {
  if (key === "address") return ({ clientAddress }) => addressKey(clientAddress);
  if (key === "route") return () => "";
  // Of different kinds, so that no value is another client's address.
  if (key === "user") return ({ user, clientAddress }) => user === "" ? addressKey(clientAddress) : `=${user}`;
  const [kind, name] = key.split(":");
  const valueOf = kind === "header" ? headerOf(name) : cookieOf(name);
  return ({ head, clientAddress }) => {
    const value = valueOf(head.headers);
    return value === undefined ? addressKey(clientAddress) : `=${value}`;
  };
}

/** The address; of IPv6 the first 64 bits, which one client has for itself. */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const groups = addressGroups(address);
  if (groups === undefined || isMapped(groups)) return address;
  return `${groups[0]}:${groups[1]}:${groups[2]}:${groups[3]}`;
}

function headerOf(name: string): (headers: readonly string[]) => string | undefined {
  const lowerName = name.toLowerCase();
  return (headers) => headerValue(headers, lowerName);
}

function cookieOf(name: string): (headers: readonly string[]) => string | undefined {
  const start = `${name}=`;
  return (headers) => {
    for (const line of headerValues(headers, "cookie")) {
      for (const pair of line.split(";")) {
        const text = pair.trim();
        if (text.startsWith(start)) return text.slice(start.length);
      }
    }
    return undefined;
  };
}
