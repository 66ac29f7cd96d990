/**
 * `bws top`: a running server in the terminal.
 *
 * @module
 */

import type { Snapshot } from "../../admin/snapshot.ts";
import { type CommandInput, flagValue, UsageError } from "../command.ts";
import type { Terminal } from "../terminal.ts";
import { AdminClient } from "./admin_client.ts";
import { Screen } from "./screen.ts";
import { ScreenSignals } from "./screen_signals.ts";
import { TopSession } from "./top_session.ts";
import { membersOf, topLines } from "./top_view.ts";

const DEFAULT_URL = "http://127.0.0.1:7654";
const RETRY_MS = 1000;

/**
 * Shows a running server until a key or a signal ends the program; with `--once` or without a terminal, prints one table.
 *
 * @throws {UsageError} `--url` is not an address.
 * @throws {Error} No server responds at the start, or it refuses the key.
 */
export async function topCommand(input: CommandInput): Promise<number> {
  const client = new AdminClient({
    url: readUrl(flagValue(input, "url") ?? DEFAULT_URL),
    apiKey: flagValue(input, "key") ?? environmentKey(),
  });
  const ended = new AbortController();
  const snapshots = client.snapshots(ended.signal);
  try {
    // Before the screen is switched, so that a missing server is a plain message.
    const { value: first } = await snapshots.next();
    if (first === undefined) throw new Error(`${client.address} ended the connection without a response`);
    if (input.flags.has("once") || !Deno.stdout.isTerminal() || !Deno.stdin.isTerminal()) {
      printOnce(first, client.address, input.terminal);
    } else await watch(client, snapshots, first, { ended, colored: input.terminal.outputColored });
  } finally {
    ended.abort();
    await snapshots.return().catch(() => {});
  }
  return 0;
}

function printOnce(snapshot: Snapshot, address: string, terminal: Terminal): void {
  const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : Infinity;
  const options = { width, colored: terminal.outputColored, mostTroubles: Infinity, address };
  const { head, heading, rows } = topLines(snapshot, membersOf(snapshot, "worst"), options);
  terminal.print([...head, heading, ...rows].map((line) => line.trimEnd()).join("\n"));
}

interface WatchOptions {
  ended: AbortController;
  colored: boolean;
}

async function watch(
  client: AdminClient,
  snapshots: AsyncGenerator<Snapshot>,
  first: Snapshot,
  { ended, colored }: WatchOptions,
): Promise<void> {
  using screen = new Screen();
  const session = new TopSession(client, first);
  const draw = () => screen.show(session.lines({ ...screen.size, colored }));
  using _signals = new ScreenSignals(() => ended.abort(), () => {
    screen.forget();
    draw();
  });
  draw();
  const following = follow(client, snapshots, session, draw, ended.signal);
  const pressing = pressKeys(screen, session, draw);
  const stopped = new Promise<void>((resolve) => ended.signal.addEventListener("abort", () => resolve()));
  await Promise.race([pressing, stopped, following]);
  ended.abort();
  await following;
}

async function pressKeys(screen: Screen, session: TopSession, draw: () => void): Promise<void> {
  for await (const key of screen.keys()) {
    if (!await session.press(key)) return;
    draw();
  }
}

// Connects again, so that a restart of the server does not end the program.
async function follow(
  client: AdminClient,
  snapshots: AsyncGenerator<Snapshot>,
  session: TopSession,
  draw: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let current = snapshots; !signal.aborted; current = client.snapshots(signal)) {
    let lost = "The connection is lost; trying again";
    try {
      let back = current !== snapshots;
      for await (const snapshot of current) {
        session.take(snapshot);
        if (back) session.setMessage("");
        back = false;
        draw();
      }
    } catch (error) {
      if (signal.aborted) return;
      lost = error instanceof Error ? error.message : String(error);
    }
    session.lose(lost);
    draw();
    await pause(RETRY_MS, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

function readUrl(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError(`${JSON.stringify(text)} is no address, expected one such as ${DEFAULT_URL}`);
}

function environmentKey(): string | undefined {
  return Deno.env.get("BWS_API_KEY") || undefined;
}
