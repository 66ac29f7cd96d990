/**
 * The gate, `deno task ok`: everything that must be green before a commit. `deno task ok --rest` leaves out the tests,
 * for callers that have just run them.
 *
 * @module
 */

interface Step {
  name: string;
  args: string[];
  /** Left out with `--rest`. */
  tests?: boolean;
}

const CODE = ["lib/", "tests/", "examples/", "bench/", "mod.ts", "main.ts"];

const STEPS: Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", ...CODE] },
  { name: "doc examples", args: ["test", "-A", "--doc", "lib/", "mod.ts"] },
  // They are run by tests/examples/documented_programs_test.ts.
  { name: "programs of pages", args: ["check", "--doc-only", "README.md", "docs/operations.md"] },
  { name: "documentation", args: ["doc", "--lint", "mod.ts"] },
  { name: "package", args: ["publish", "--dry-run", "--allow-dirty"] },
  // Not checked again: the runtime would check the modules of each worker anew, which takes half a minute on a busy machine.
  { name: "tests", args: ["test", "--no-check", "--lock=tests/deno.lock", "-A", "tests/"], tests: true },
];

const steps = STEPS.filter((step) => !(step.tests && Deno.args.includes("--rest")));
const failed: string[] = [];
for (const { name, args } of steps) {
  const started = performance.now();
  say(`\n— ${name}: deno ${args.join(" ")}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn().status;
  say(`— ${name}: ${success ? "passed" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (!success) failed.push(name);
}
say("");
for (const name of failed) say(`gate: ${name} failed`);
say(`${steps.length - failed.length} passed, ${failed.length} failed`);
Deno.exit(failed.length === 0 ? 0 : 1);

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
