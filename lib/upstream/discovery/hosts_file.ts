/**
 * The machine's own table of names, which comes before the name servers as it does for other programs: there stand
 * `localhost`, Docker's `extra_hosts`, Kubernetes' `hostAliases`. The runtime's DNS client does not look into it.
 *
 * @module
 */

import { shortageOf } from "../../failure/shortage.ts";

/** Where the table is on this system. */
export function systemHostsFile(): string {
  if (Deno.build.os !== "windows") return "/etc/hosts";
  return "C:\\Windows\\System32\\drivers\\etc\\hosts";
}

/**
 * The addresses of `name` in the table at `path`, as they are spelled there. Empty also when it cannot be read, or when
 * this program has no permission for it: a server must not stop to prompt for one.
 *
 * @throws {Error} When this machine has no file handle left: what stands in the table cannot be told then.
 */
export async function hostsFileAddresses(path: string, name: string): Promise<readonly string[]> {
  try {
    const permission = await Deno.permissions.query({ name: "read", path });
    if (permission.state !== "granted") return [];
    return addressesIn(await Deno.readTextFile(path), name);
  } catch (error) {
    if (shortageOf(error) !== undefined) throw error;
    // Systems without the file have no such names; the name servers are asked next.
    return [];
  }
}

function addressesIn(text: string, name: string): readonly string[] {
  const wanted = name.toLowerCase().replace(/\.$/, "");
  return text.split("\n").flatMap((line) => {
    const [address, ...names] = line.replace(/#.*/, "").trim().toLowerCase().split(/\s+/);
    return names.includes(wanted) ? [address] : [];
  });
}
