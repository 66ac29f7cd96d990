/**
 * Where a request for a folder without its last slash is redirected to.
 *
 * @module
 */

import type { RequestHead } from "./message.ts";

/**
 * The client's path with a slash at its end; undefined where a rewrite has changed the last segment: with a slash, the client's
 * path would not be that of the folder, and a redirect to the rewritten path could be rewritten again, without end.
 */
export function slashLocation(head: RequestHead): string | undefined {
  const { path, original } = head;
  if (original === undefined) return `${path}/`;
  const last = (one: string) => one.slice(one.lastIndexOf("/"));
  if (last(path) !== last(original.path) || path.endsWith("/")) return undefined;
  // "//host" and "/\host" would lead to another host.
  return `${original.path.replace(/^[/\\]+/, "/")}/`;
}
