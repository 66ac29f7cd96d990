/**
 * As many requests as a proxy answers: wrk, in a closed loop (a connection asks again once it has its answer).
 *
 * @module
 */

import { runPinned } from "../pinned_process.ts";
import { body, type RequestPlan } from "./request_plan.ts";

/** What came of it. */
export interface WrkLoad {
  requests: number;
  perSecond: number;
  /** What wrk says went wrong. */
  errors: string[];
}

/** How the load is run. */
export interface WrkOptions {
  cores: string;
  port: number;
  seconds: number;
  connections: number;
  /** Folder for wrk's script. */
  folder: string;
}

/**
 * Runs wrk.
 *
 * @throws {Error} When wrk itself fails.
 */
export async function wrkLoad(plan: RequestPlan, options: WrkOptions): Promise<WrkLoad> {
  const script = `${options.folder}/load.lua`;
  await Deno.writeTextFile(script, luaScript(plan));
  const text = await runPinned(options.cores, "wrk", [
    ...["-t1", `-c${options.connections}`, `-d${options.seconds}`, "--timeout", "5", "-s", script],
    `http://127.0.0.1:${options.port}${plan.paths[0]}`,
  ]);
  const found = /(\d+) requests in/.exec(text);
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text);
  if (found === null || rate === null) throw new Error(`wrk said: ${text}`);
  const errors = [/Non-2xx or 3xx responses: \d+/, /Socket errors: .*/].flatMap((kind) => kind.exec(text)?.[0] ?? []);
  return { requests: Number(found[1]), perSecond: Number(rate[1]), errors: errors.map(counted) };
}

/** An error line of wrk without the counts that are none. */
function counted(line: string): string {
  const [kind, counts] = line.toLowerCase().split(": ");
  return `${kind}: ${counts.split(", ").filter((count) => !count.endsWith(" 0")).join(", ")}`;
}

function luaScript(plan: RequestPlan): string {
  const headers = { ...plan.headers, ...(plan.newConnection ? { Connection: "close" } : {}) };
  const lines = [`wrk.method = ${lua(plan.method)}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`wrk.headers[${lua(name)}] = ${lua(value)}`);
  if (plan.bodyBytes > 0) lines.push(`wrk.body = ${lua(body(plan.bodyBytes))}`);
  if (plan.paths.length > 1) {
    // Built before, so that the script costs the load core little.
    lines.push(
      `local paths, requests, turn = { ${plan.paths.map(lua).join(", ")} }, {}, 0`,
      "function init() for n, path in ipairs(paths) do requests[n] = wrk.format(nil, path) end end",
      "function request() turn = turn % #requests + 1; return requests[turn] end",
    );
  }
  return lines.join("\n") + "\n";
}

function lua(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
