/**
 * Reads files in the format of Apache's htpasswd: `user:hash`, one a line.
 *
 * @module
 */

import { hashFault } from "./hash_kind.ts";

/**
 * Users and their hashes.
 *
 * @param path For messages.
 * @throws {SyntaxError} When a line has no colon, or a hash that cannot be checked. The hash is not in the message.
 */
export function parseHtpasswd(content: string, path: string): Map<string, string> {
  const users = new Map<string, string>();
  content.split("\n").forEach((line, index) => {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) return;
    const place = `Cannot read ${path}, line ${index + 1}`;
    const colon = text.indexOf(":");
    if (colon < 1) throw new SyntaxError(`${place}: expected a user, ":" and a hash`);
    const [user, hash] = [text.slice(0, colon), text.slice(colon + 1).split(":")[0]];
    const fault = hashFault(hash);
    if (fault !== undefined) {
      throw new SyntaxError(
        `${place}: the hash of ${JSON.stringify(user)} ${fault.message}, expected ${fault.expected}`,
      );
    }
    users.set(user, hash);
  });
  return users;
}
