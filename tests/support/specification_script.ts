/**
 * The shell scripts of the specification, run as tests. Their ports are fixed, because the specification names them.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { portIsFree } from "./port.ts";

/**
 * Registers a test that runs `tests/<script>`, or says why it is not run.
 *
 * @param ports What the script listens on.
 */
export function scriptTest(script: string, ports: readonly number[]): void {
  Deno.test({
    name: `${script} passes`,
    ignore: !hasTools(),
    async fn() {
      using _alone = await alone();
      const taken = ports.filter((port) => !portIsFree(port));
      if (taken.length > 0) return skipped(script, `in use are the ports ${taken.join(", ")}`);
      const { pathname } = new URL(`../${script}`, import.meta.url);
      const { code, stdout } = await new Deno.Command("bash", { args: [pathname] }).output();
      const report = new TextDecoder().decode(stdout);
      // Somebody was faster.
      if (/^Port \d+ is in use/.test(report)) return skipped(script, report.trim());
      assertEquals(code, 0, report);
      assertStringIncludes(report, " passed, 0 failed");
    },
  });
}

/** Waits until no other script has the ports of the specification, in whatever process of this machine. */
async function alone(): Promise<Disposable> {
  const folder = Deno.env.get("TMPDIR") ?? "/tmp";
  const file = await Deno.open(`${folder}/bws-script-ports.lock`, { create: true, write: true });
  await file.lock(true);
  return file;
}

function hasTools(): boolean {
  return Deno.build.os !== "windows" && ["bash", "curl"].every((tool) => {
    try {
      return new Deno.Command(tool, { args: ["--version"], stdout: "null" }).outputSync().success;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  });
}

function skipped(script: string, reason: string): void {
  // deno-lint-ignore no-console -- whoever reads the report must know
  console.warn(`${script} is not run: ${reason}`);
}
