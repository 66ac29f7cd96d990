/**
 * Old generations leave nothing behind: no memory, no socket, and no timer that would hold them.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertLess } from "@std/assert";
import { LineProgram } from "../support/line_program.ts";
import type { ReloadStatus } from "../support/reload_program.ts";
import { THREADS } from "../support/reloaded_proxy.ts";
import { TallyingUpstream } from "../support/tallying_upstream.ts";

for (const [name, workers] of THREADS) {
  Deno.test(`200 reloads with ${name} leave no memory and no socket behind`, async () => {
    await using upstream = TallyingUpstream.start();
    const path = new URL("../support/reload_program.ts", import.meta.url).pathname;
    const flags = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", path];
    const program = LineProgram.start(Deno.execPath(), [...flags, String(workers), upstream.url, "60", "200"]);
    await using running = program as LineProgram;
    const before: ReloadStatus = JSON.parse(await running.line());
    const after: ReloadStatus = JSON.parse(await running.line());
    // A generation that is held would take 10 kB or more; what is compiled and cached on the way takes less than half of this.
    assertLess(after.heapBytes - before.heapBytes, 2_000_000);
    // A few come and go by themselves.
    assertLess(after.handles, before.handles + 10);
  });
}
