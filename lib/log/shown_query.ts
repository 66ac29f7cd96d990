/**
 * Queries in the log: values of parameters that look like secrets are masked.
 *
 * @module
 */

/** The text that replaces a secret. */
export const MASK = "********";

/**
 * `access_token`, `apiKey`, `user[password]` and the like. Linear: a name ends at each character that can begin another match.
 */
const SECRET_PARAMETER =
  /([?&;](?:[^=&;?]*(?:token|secret|passw(?:or)?d|passphrase|credentials?|signature|apikey|jwt)|(?:[^=&;?]*[_.-])?key|pwd|sig|auth|authorization|sid|session(?:[_-]?id)?)(?:\]|%5D)?=)[^&;]*/gi;

/** A query, or a URL with one, with secrets replaced by asterisks. */
export function shownQuery(text: string): string {
  return text.replace(SECRET_PARAMETER, `$1${MASK}`);
}

/** The target of a request as it is logged. */
export function shownTarget(path: string, query: string): string {
  return query === "" ? path : path + shownQuery(query);
}
