/**
 * Tests that are run against each kind of listener.
 *
 * @module
 */

import { LISTENER_KINDS, type ListenerKind } from "../../lib/listener/listener_kind.ts";

/**
 * Registers a test for each kind of listener.
 *
 * @param run Gets the kind, for `[server] listener`.
 * @param only The kinds that it is for; all without it.
 */
export function testEachListener(
  name: string,
  run: (listener: ListenerKind) => void | Promise<void>,
  only: readonly ListenerKind[] = LISTENER_KINDS,
): void {
  for (const listener of only) {
    Deno.test(`${name} (listener = "${listener}")`, async () => await run(listener));
  }
}
