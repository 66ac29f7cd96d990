/**
 * Fields in which a feature tells upstreams something that it has found out, such as the name of a user. A client cannot set
 * them: not by their names, not by names that CGI programs take for the same, and it cannot have them removed by naming them in
 * Connection.
 *
 * @module
 */

import { foldedName, foldsTo } from "../http/folded_name.ts";
import type { RequestHead } from "../http/message.ts";

/** The fields of one feature. Built once. */
export class UpstreamFields {
  readonly #names: readonly string[];

  /** @param names In any case. */
  constructor(names: readonly string[]) {
    this.#names = [...new Set(names.map(foldedName))];
  }

  /** `head` with `lines` in place of all lines of these names. */
  replaced(head: RequestHead, lines: readonly string[]): RequestHead {
    const headers: string[] = [];
    for (let i = 0; i < head.headers.length; i += 2) {
      const name = head.headers[i];
      if (this.has(name)) continue;
      let value = head.headers[i + 1];
      if (name.length === CONNECTION.length && name.toLowerCase() === CONNECTION) {
        value = this.#withoutNames(value);
        if (value === "") continue;
      }
      headers.push(name, value);
    }
    headers.push(...lines);
    return { ...head, headers };
  }

  /** Whether a field is one of these. */
  has(name: string): boolean {
    for (const folded of this.#names) if (foldsTo(name, folded)) return true;
    return false;
  }

  #withoutNames(connection: string): string {
    if (!connection.includes("-") && !connection.includes(",")) return this.has(connection) ? "" : connection;
    return connection.split(",").map((option) => option.trim()).filter((option) => !this.has(option)).join(", ");
  }
}

const CONNECTION = "connection";
