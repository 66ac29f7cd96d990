/**
 * Which listener serves the ports of a server.
 *
 * @module
 */

import { LISTENER_KINDS, type ListenerKind } from "./listener_kind.ts";

/** The kind that is used where neither the config nor the environment names one. */
const USUAL: ListenerKind = "own";

/** The kind of the listeners of a config, by its table `[server]`. */
export function listenerKind({ listener }: { readonly listener?: ListenerKind | undefined }): ListenerKind {
  return listener ?? LISTENER_KINDS.find((kind) => kind === environmentDefault("BWS_LISTENER")) ?? USUAL;
}

/** The value of a variable of the environment; undefined where it is not set, or reading it is not permitted. */
export function environmentDefault(variable: string): string | undefined {
  // Inside other programs, a question to the user must not come up.
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}
