/**
 * A file of users and hashes in the format of htpasswd, read again when it has changed. One that cannot be read, or is malformed, leaves the users as they
 * were.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { OncePerSecond } from "../../state/once_per_second.ts";
import { parseHtpasswd } from "./htpasswd.ts";

/** The users of one file. */
export class UsersFile {
  readonly #path: string;
  readonly #log: Log | undefined;
  readonly #looks = new OncePerSecond();
  #users: ReadonlyMap<string, string>;
  #stamp: string;
  #looking: Promise<void> | undefined;

  /**
   * Reads the file.
   *
   * @throws {Error} When it cannot be read, or a line is malformed.
   */
  constructor(path: string, log?: Log) {
    this.#path = path;
    this.#log = log;
    this.#stamp = stampOf(Deno.statSync(path));
    this.#users = parseHtpasswd(Deno.readTextFileSync(path), path);
  }

  /** Users and their hashes. Looks once a second whether the file has changed, without waiting for it. */
  get users(): ReadonlyMap<string, string> {
    if (this.#looks.allows()) this.look();
    return this.#users;
  }

  /** Reads the file again if it has changed; callers at the same time share one look. Never rejects. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<void> {
    let stamp = "";
    try {
      stamp = stampOf(await Deno.stat(this.#path));
      if (stamp === this.#stamp) return;
      this.#users = parseHtpasswd(await Deno.readTextFile(this.#path), this.#path);
      this.#stamp = stamp;
      this.#log?.log("info", "file of users was read again", { file: this.#path, users: this.#users.size });
    } catch (error) {
      const { message } = error as Error;
      const known = error instanceof SyntaxError ? stamp : message;
      if (this.#stamp !== known) {
        this.#log?.log("warn", "file of users cannot be read, the users before it stay", {
          file: this.#path,
          cause: message,
        });
      }
      // What is malformed stays so until it changes; anything else may have passed with the next look.
      this.#stamp = known;
    }
  }
}

function stampOf({ mtime, size, ino }: Deno.FileInfo): string {
  return `${mtime?.getTime()} ${size} ${ino}`;
}
