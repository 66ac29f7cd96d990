/**
 * Which listener the servers of the tests have, for what the listeners do differently.
 *
 * @module
 */

import { listenerKind } from "../../lib/listener/listener_choice.ts";

/** Whether it is BWS's own, where the config of a test names none. */
export const OWN: boolean = listenerKind({}) === "own";

/** Keys of `[server]` for tests of what only the runtime's server does. */
export const RUNTIME = { listener: "runtime" } as const;
