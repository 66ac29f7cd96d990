/**
 * IP addresses read in the slow and obvious way, with what the runtime has: the oracle of the quick reader.
 *
 * @module
 */

import { isIP } from "node:net";

/** The 4 or 16 bytes of an address, brackets and zone left out; undefined when the text is none. IPv4 in IPv6 form gives 4. */
export function slowBytes(text: string): number[] | undefined {
  const bare = (/^\[(.*)\]$/.exec(text)?.[1] ?? text).split("%")[0];
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return bare.split(".").map(Number);
  const [front, back] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split("::");
  const groups = (half: string | undefined) => half === undefined || half === "" ? [] : half.split(":");
  const ends = [groups(front), groups(back)];
  const zeros = new Array(8 - ends[0].length - ends[1].length).fill("0");
  const bytes = [...ends[0], ...zeros, ...ends[1]].flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return bytes.slice(0, 12).join() === "0,0,0,0,0,0,0,0,0,0,255,255" ? bytes.slice(12) : bytes;
}
