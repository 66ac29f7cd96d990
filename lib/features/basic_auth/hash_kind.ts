/**
 * Tells hashes of passwords apart by their text, without loading what verifies them.
 *
 * @module
 */

import type { Fault } from "../../config/fields.ts";

/** What a hash must be, for messages. */
export const HASH = 'a hash of bcrypt, argon2 or SHA-crypt, as "bws hash-password" makes one';

/** Why a text is no hash of a password that can be checked; undefined if it is one. The text is never in a message. */
export function hashFault(hash: string): Fault | undefined {
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    if (cost >= 4 && cost <= MOST_BCRYPT_COST) return undefined;
    return { message: `has the cost ${cost}`, expected: `bcrypt with a cost of 4 to ${MOST_BCRYPT_COST}` };
  }
  if (/^\$argon2(?:id|i|d)\$v=19\$m=\d{1,7},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{16,}$/.test(hash)) {
    return undefined;
  }
  if (/^\$[56]\$(?:rounds=\d{4,7}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}$/.test(hash)) return undefined;
  if (/^(?:\$apr1\$|\$1\$|\{SHA\}|\{SSHA\})/.test(hash)) {
    return { message: "is MD5 or SHA-1 without rounds, which is guessed within hours", expected: HASH };
  }
  return { message: "is no hash", expected: HASH };
}

/** bcrypt with a larger cost takes more than about three seconds. */
const MOST_BCRYPT_COST = 16;
