/**
 * `bws trust`, with a store of the test in place of the machine's.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { UsageError } from "../../lib/cli/command.ts";
import { trustCommand } from "../../lib/cli/trust_command.ts";
import type { Terminal } from "../../lib/cli/terminal.ts";
import { FolderStore } from "../../lib/listener/acme/folder_store.ts";
import { LocalAuthority } from "../../lib/listener/acme/local_authority.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

const UPDATE = `#!/bin/sh\necho update "$@" >> "$(dirname "$0")/calls"\n`;

async function withStore(work: (world: World) => Promise<void>): Promise<void> {
  const config = `[acme]\nstorage = "kept"\n[[sites]]\nstatic_dir = "."\n`;
  await inTemporaryFolder({ "config.toml": config, "update": UPDATE, "trusted/x": "" }, async (folder) => {
    await Deno.chmod(`${folder}/update`, 0o755);
    const run = async (...flags: string[]) => {
      const [lines, errors]: string[][] = [[], []];
      const terminal: Terminal = {
        ...{ outputColored: false, errorColored: false },
        print: (text) => void lines.push(text),
        printError: (text) => void errors.push(text),
        printErrorLater: () => Promise.resolve(),
      };
      const given = new Map(flags.map((flag) => [flag, [""]]));
      given.set("config", [`${folder}/config.toml`]);
      const store = { folder: `${folder}/trusted`, program: `${folder}/update` };
      const code = await trustCommand({ positionals: [], flags: given, terminal }, store);
      return { code, output: lines.join("\n"), errors: errors.join("\n") };
    };
    const calls = async () => (await Deno.readTextFile(`${folder}/calls`).catch(() => "")).trim().split("\n");
    const trusted = async () => {
      const names = (await Array.fromAsync(Deno.readDir(`${folder}/trusted`))).map(({ name }) => name);
      return names.filter((name) => name !== "x");
    };
    await work({ folder, run, calls, trusted });
  });
}

interface World {
  readonly folder: string;
  run(...flags: string[]): Promise<{ code: number; output: string; errors: string }>;
  calls(): Promise<string[]>;
  trusted(): Promise<string[]>;
}

Deno.test({
  name: "bws trust puts the certificate into the store of the machine, once",
  ignore: Deno.build.os === "windows",
}, async () => {
  await withStore(async ({ folder, run, calls, trusted }) => {
    const { code, output } = await run();
    assertEquals(code, 0);
    assertStringIncludes(output, "It is now trusted by the programs of this machine");
    assertStringIncludes(output, "certutil -d sql:$HOME/.pki/nssdb -A");
    const [file] = await trusted();
    const certificate = await Deno.readTextFile(`${folder}/trusted/${file}`);
    assertEquals(new X509Certificate(certificate).ca, true);
    assertEquals(certificate.includes("PRIVATE KEY"), false);
    assertEquals(certificate, await new LocalAuthority(new FolderStore(`${folder}/kept`)).certificate());
    assertStringIncludes((await run()).output, "It was already trusted");
    assertEquals(await calls(), ["update"]);
    assertStringIncludes((await run("uninstall")).output, "It is now not trusted");
    assertStringIncludes((await run("uninstall")).output, "It was already not trusted");
    assertEquals([await calls(), await trusted()], [["update", "update --fresh"], []]);
  });
});

Deno.test("bws trust --print writes the certificate alone", async () => {
  await withStore(async ({ run, trusted }) => {
    const { output } = await run("print");
    assertEquals(output.startsWith("-----BEGIN CERTIFICATE-----\n"), true);
    assertEquals(new X509Certificate(output).ca, true);
    assertEquals(await trusted(), []);
    await assertRejects(() => run("print", "uninstall"), UsageError, "contradict");
  });
});

Deno.test({
  name: "bws trust says what root has to run where the store cannot be written",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
}, async () => {
  await withStore(async ({ folder, run }) => {
    await Deno.chmod(`${folder}/trusted`, 0o500);
    const { code, errors } = await run();
    assertEquals(code, 1);
    assertStringIncludes(errors, "bws trust --print | sudo tee ");
    await Deno.chmod(`${folder}/trusted`, 0o700);
  });
});
