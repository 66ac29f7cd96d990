/**
 * A file of users and hashes in the format of htpasswd, read again when it has changed.
 *
 * @module
 */

import type { Log } from "../../log/log.ts";
import { type FileContent, RereadFile } from "../reread_file.ts";
import { parseHtpasswd } from "./htpasswd.ts";

/** Users and their hashes. */
type Users = ReadonlyMap<string, string>;

const USERS: FileContent<Users> = {
  parse: parseHtpasswd,
  name: "file of users",
  stays: "the users before it stay",
  facts: ({ size }) => ({ users: size }),
};

/** The users of one file. */
export class UsersFile {
  readonly #file: RereadFile<Users>;

  /**
   * Reads the file.
   *
   * @throws {Error} When it cannot be read, or a line is malformed.
   */
  constructor(path: string, log?: Log) {
    this.#file = new RereadFile(path, USERS, log);
  }

  /** Users and their hashes. Looks once a second whether the file has changed, without waiting for it. */
  get users(): Users {
    return this.#file.content;
  }

  /** Reads the file again if it has changed; callers at the same time share one look. Never rejects. */
  look(): Promise<void> {
    return this.#file.look();
  }
}
