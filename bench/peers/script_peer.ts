/**
 * Peers that are libraries: a script around each, in the folder of their packages, run by Node or Bun. A script finds what
 * it is to do in `setting` (see {@linkcode Setting}) and chooses upstreams in turn with `next()`.
 *
 * @module
 */

import { installPackages, PACKAGES_FOLDER } from "./npm_packages.ts";
import { type Ability, type Peer, versionOf } from "./peer.ts";

/** What makes a library a peer. */
export interface ScriptPeerOptions {
  name: string;
  key: string;
  abilities: readonly Ability[];
  /** npm packages, the one that is measured first. */
  packages: readonly string[];
  /** Where it runs. */
  processState: "node" | "bun";
  /** A module in JavaScript that listens as `setting` says. */
  script: string;
}

const PREAMBLE = `import { readFileSync } from "node:fs";
const setting = JSON.parse(readFileSync(process.argv[2], "utf8"));
let turn = 0;
const next = () => "http://" + setting.upstreams[turn++ % setting.upstreams.length];
`;

/** A peer that is a library in a script. */
export function scriptPeer({ name, key, abilities, packages, processState, script }: ScriptPeerOptions): Peer {
  return {
    name,
    key,
    abilities,
    version: async () => {
      if (processState === "node") await versionOf("node", "--version");
      const version = await installPackages(...packages);
      return `${version}, ${processState} ${await versionOf(program(processState), "--version")}`;
    },
    prepare: async (setting) => {
      // Beside the packages, since that is where imports are looked up.
      const file = `${PACKAGES_FOLDER}/${key}.mjs`;
      const settingFile = `${setting.folder}/setting.json`;
      await Deno.writeTextFile(file, PREAMBLE + script);
      await Deno.writeTextFile(settingFile, JSON.stringify(setting));
      return { command: program(processState), args: [file, settingFile], env: { NODE_ENV: "production" } };
    },
  };
}

function program(processState: "node" | "bun"): string {
  return processState === "node" ? "node" : `${PACKAGES_FOLDER}/node_modules/.bin/bun`;
}
