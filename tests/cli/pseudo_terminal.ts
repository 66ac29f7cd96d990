/**
 * The program on a terminal, as `script` of util-linux provides one: what is typed, and what is shown.
 *
 * @module
 */

import { MAIN } from "./bws_process.ts";

/** A program that waits for so long without a question hangs. */
const SILENCE_MS = 60_000;

/** Whether a terminal can be had on this machine. */
export async function hasTerminal(): Promise<boolean> {
  try {
    return new TextDecoder().decode((await new Deno.Command("script", { args: ["--version"] }).output()).stdout)
      .includes("util-linux");
  } catch {
    return false;
  }
}

/**
 * Runs `bws`, and types a line at each prompt, which ends in `] `. `\x03` is Ctrl-C.
 *
 * @returns All that was shown, with plain line ends.
 */
export async function typeAnswers(args: readonly string[], lines: readonly string[], cwd: string): Promise<string> {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const command = [Deno.execPath(), "run", "--no-check", "-A", "--config", config, MAIN, ...args];
  const child = new Deno.Command("script", {
    args: ["-qec", command.map((part) => `'${part}'`).join(" "), "/dev/null"],
    ...{ cwd, env: { NO_COLOR: "1" }, stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  const silence = setTimeout(() => child.kill("SIGKILL"), SILENCE_MS);
  const writer = child.stdin.getWriter();
  let [shown, asked] = ["", 0];
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text.replaceAll("\r", "");
    const prompts = shown.match(/\] /g)?.length ?? 0;
    for (; asked < prompts && asked < lines.length; asked++) {
      await writer.write(new TextEncoder().encode(lines[asked] === "\x03" ? "\x03" : `${lines[asked]}\n`));
    }
  }
  clearTimeout(silence);
  await writer.close().catch(() => {});
  await child.status;
  return shown;
}
