/**
 * Why a file server responds with an error, as text for the log.
 *
 * @module
 */

import type { RequestHead } from "../../http/message.ts";
import { hasEncodedSeparator, type PathRules, readRequestPath } from "./request_path.ts";

/**
 * The reason.
 *
 * @param head The request.
 * @param status Status code of the response.
 * @param rules Rules for the names of files.
 */
export function failureReason(head: RequestHead, status: number, rules: PathRules): string {
  if (status === 405) return `Files take GET and HEAD, and no route takes ${head.method}`;
  if (status === 403) return "The system does not allow the file to be read";
  if (status === 416) return "No part of what Range asks for lies in the file";
  if (status === 400) return "The path is not percent-encoded UTF-8, or holds a control character";
  if (typeof readRequestPath(head.path, rules) === "string") return "No route and no file takes this path";
  if (hasEncodedSeparator(head.path)) return "An encoded slash or backslash names no file";
  const shown = { ...rules, dotfiles: true };
  return typeof readRequestPath(head.path, shown) === "string"
    ? "Names that begin with a dot are not served: dotfiles is false"
    : "The path leaves static_dir, or holds a name that is never served";
}
