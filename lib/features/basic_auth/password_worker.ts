/**
 * The thread that checks passwords.
 *
 * @module
 */

import { verifyPassword } from "./password_hash.ts";
import type { PasswordQuestion, PasswordResult } from "./password_thread.ts";

// The types of the runtime are those of a window; only workers load this module.
const scope = self as unknown as Worker;
const post = (message: PasswordResult | "ready") => scope.postMessage(message);

scope.onmessage = async ({ data: { id, password, hash } }: MessageEvent<PasswordQuestion>) => {
  post({ id, verified: await verifyPassword(password, hash) });
};
post("ready");
