/**
 * A file whose content is read again when it has changed. One that cannot be read, or is malformed, leaves the content as it
 * was.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import { OncePerSecond } from "../state/once_per_second.ts";

/** What a file holds, and how the log names it. */
export interface FileContent<T> {
  /**
   * Reads the text of the file at `path`.
   *
   * @throws {SyntaxError} When it is malformed.
   */
  parse(text: string, path: string): T;
  /** Such as `file of users`. */
  readonly name: string;
  /** What stays where it cannot be read, such as `the users before it stay`. */
  readonly stays: string;
  /** Facts of the content for the log. */
  facts(content: T): Readonly<Record<string, number>>;
}

/** The content of one file. */
export class RereadFile<T> {
  readonly #path: string;
  readonly #kind: FileContent<T>;
  readonly #log: Log | undefined;
  readonly #looks = new OncePerSecond();
  #content: T;
  #stamp: string;
  #looking: Promise<void> | undefined;

  /**
   * Reads the file.
   *
   * @throws {Error} When it cannot be read, or is malformed.
   */
  constructor(path: string, kind: FileContent<T>, log: Log | undefined) {
    this.#path = path;
    this.#kind = kind;
    this.#log = log;
    this.#stamp = stampOf(Deno.statSync(path));
    this.#content = kind.parse(Deno.readTextFileSync(path), path);
  }

  /** The content. Looks once a second whether the file has changed, without waiting for it. */
  get content(): T {
    if (this.#looks.allows()) this.look();
    return this.#content;
  }

  /** Reads the file again if it has changed; callers at the same time share one look. Never rejects. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => this.#looking = undefined);
  }

  async #look(): Promise<void> {
    const { name, stays } = this.#kind;
    let stamp = "";
    try {
      stamp = stampOf(await Deno.stat(this.#path));
      if (stamp === this.#stamp) return;
      this.#content = this.#kind.parse(await Deno.readTextFile(this.#path), this.#path);
      this.#stamp = stamp;
      this.#log?.log("info", `${name} was read again`, { file: this.#path, ...this.#kind.facts(this.#content) });
    } catch (error) {
      const { message } = error as Error;
      // What is malformed stays so until it changes; anything else may have passed with the next look.
      const known = error instanceof SyntaxError ? stamp : message;
      if (this.#stamp !== known) {
        this.#log?.log("warn", `${name} cannot be read, ${stays}`, { file: this.#path, cause: message });
      }
      this.#stamp = known;
    }
  }
}

function stampOf({ mtime, size, ino }: Deno.FileInfo): string {
  return `${mtime?.getTime()} ${size} ${ino}`;
}
