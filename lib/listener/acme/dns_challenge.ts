/**
 * Proof by a TXT record (RFC 8555, section 8.4), which a command of the operator sets: `COMMAND present NAME VALUE` and
 * afterwards `COMMAND cleanup NAME VALUE`. Needed for wildcards.
 *
 * @module
 */

import { AcmeError } from "./acme_error.ts";
import { encodeBase64Url } from "./base64.ts";
import type { ChallengeSolver, ChallengeTask } from "./challenge.ts";

/** How the record is set. */
export interface DnsChallengeOptions {
  /** Program and first arguments. No shell reads them. */
  readonly command: readonly string[];
  /** Time for one call, in milliseconds. */
  readonly timeoutMs: number;
  /** Time until name servers have the record, in milliseconds; 0 where the command waits for that itself. */
  readonly propagationMs: number;
}

/** The solver of `dns-01`. */
export class DnsChallenge implements ChallengeSolver {
  readonly type = "dns-01";
  readonly #options: DnsChallengeOptions;

  constructor(options: DnsChallengeOptions) {
    this.#options = options;
  }

  async solve({ name, keyAuthorization }: ChallengeTask, signal: AbortSignal): Promise<AsyncDisposable> {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(keyAuthorization));
    const record = [`_acme-challenge.${name}`, encodeBase64Url(new Uint8Array(digest))];
    const cleanup = () => this.#run(["cleanup", ...record]).catch(() => {});
    try {
      await this.#run(["present", ...record], signal);
      await waited(this.#options.propagationMs, signal);
    } catch (error) {
      await cleanup();
      throw error;
    }
    return { [Symbol.asyncDispose]: cleanup };
  }

  async #run(args: readonly string[], signal?: AbortSignal): Promise<void> {
    const { command: [program, ...first], timeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const what = `dns_command ${args[0]}`;
    try {
      const child = new Deno.Command(program, {
        args: [...first, ...args],
        ...{ stdin: "null", stdout: "null", stderr: "piped" } as const,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      const { success, code, stderr } = await child.output();
      if (timeout.aborted) throw failure(`${what} has not ended within ${timeoutMs / 1000} s`);
      signal?.throwIfAborted();
      if (!success) throw failure(`${what} ended with ${code}: ${lastLine(stderr)}`);
    } catch (error) {
      if (error instanceof AcmeError || signal?.aborted) throw error;
      throw failure(`${what} cannot be started: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function failure(message: string): AcmeError {
  return new AcmeError(message, { type: "dnsCommand" });
}

function lastLine(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
