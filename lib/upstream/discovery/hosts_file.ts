/**
 * The system's hosts file, which takes precedence over name servers as in other programs: it has `localhost`, Docker's
 * `extra_hosts` and Kubernetes' `hostAliases`. The runtime's DNS client does not read it.
 *
 * @module
 */

import { shortageOf } from "../../failure/shortage.ts";

/** Path of the hosts file on this system. */
export function systemHostsFile(): string {
  if (Deno.build.os !== "windows") return "/etc/hosts";
  return "C:\\Windows\\System32\\drivers\\etc\\hosts";
}

/**
 * The addresses of `name` in the hosts file at `path`, as written there. Empty also when the file cannot be read, or
 * when this program has no permission for it: a server must not stop at a prompt.
 *
 * @throws {Error} When this machine has no file handle left to read the file.
 */
export async function hostsFileAddresses(path: string, name: string): Promise<readonly string[]> {
  try {
    const permission = await Deno.permissions.query({ name: "read", path });
    if (permission.state !== "granted") return [];
    return addressesIn(await Deno.readTextFile(path), name);
  } catch (error) {
    if (shortageOf(error) !== undefined) throw error;
    // Systems without the file have no such names; the name servers are queried next.
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
