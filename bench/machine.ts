/**
 * What a run was made on: without it, figures mean nothing.
 *
 * @module
 */

import type { InstalledPeer } from "./peers/installed_peers.ts";
import { versionOf } from "./peers/peer.ts";

/** Lines that say which machine, which versions, and when. */
export async function machineLines(peers: readonly InstalledPeer[], upstream: string): Promise<string[]> {
  const versions = peers.filter(({ installedVersion }) => installedVersion !== "")
    .map(({ name, installedVersion }) => `${name} ${installedVersion}`);
  return [
    `- Date: ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `- Machine: ${await processorName()}, ${navigator.hardwareConcurrency} cores, Linux ${Deno.osRelease()}`,
    `- Load average at the end: ${Deno.loadavg().map((load) => load.toFixed(1)).join(", ")}`,
    `- Deno ${Deno.version.deno}, V8 ${Deno.version.v8}; wrk ${await versionOf("wrk", "-v")}; upstream: ${upstream}`,
    `- ${versions.join("; ")}`,
    `- Checkout: ${await checkout()}`,
  ];
}

async function processorName(): Promise<string> {
  return /model name\s*:\s*(.+)/.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
}

async function checkout(): Promise<string> {
  const cwd = new URL("../", import.meta.url);
  try {
    const commit = await git(cwd, "rev-parse", "--short", "HEAD");
    const changed = await git(cwd, "status", "--porcelain", "--", "lib", "main.ts", "mod.ts", "deno.json");
    return changed === "" ? commit : `${commit}, with changes that are not committed`;
  } catch {
    return "not known";
  }
}

async function git(cwd: URL, ...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", { args, cwd, stderr: "null" }).output();
  if (!success) throw new Error(`git ${args[0]} failed`);
  return new TextDecoder().decode(stdout).trim();
}
