/**
 * Connections that have had one answer each and then wait, as a program: `PORT COUNT PLAN`. Says `open` once all are
 * there, and when its stdin ends, how many the other side has closed meanwhile.
 *
 * @module
 */

import { HttpClient } from "./http_client.ts";
import type { RequestPlan } from "./request_plan.ts";

/** Dialled at a time. */
const DIALLING = 64;

if (import.meta.main) {
  const [port, count] = Deno.args.map(Number);
  const plan: RequestPlan = JSON.parse(await Deno.readTextFile(Deno.args[2]));
  let lost = 0;
  let left = count;
  await Promise.all(Array.from({ length: DIALLING }, async () => {
    while (left-- > 0) {
      const client = new HttpClient(port, plan, 0);
      await client.exchange();
      client.hungUp().then(() => lost++);
    }
  }));
  await say("open");
  for await (const _ of Deno.stdin.readable);
  await say(String(lost));
  Deno.exit(0);
}

async function say(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(line + "\n"));
}
