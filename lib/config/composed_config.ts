/**
 * The contract between this folder, which reads configs but knows no key, and the parts of the program, each of which
 * supplies the schema and the checks of its own keys.
 *
 * @module
 */

import type { z } from "zod";
import type { ProblemList } from "./problem_list.ts";
import type { TableNode } from "./source_tree.ts";

/** Tries whether a port can be opened: why not, or undefined where it can. */
export type TryPort = (listen: string | undefined, port: number, options: { shared: boolean }) => string | undefined;

/** Options that hold for files and for objects. */
export interface CheckOptions {
  /**
   * Folder to which relative paths refer: always the folder of the config file, where there is one.
   *
   * @default {"."}
   */
  baseDir?: string;
  /**
   * Description of `baseDir`, for messages.
   *
   * @default {"the folder of the config"}
   */
  baseName?: string;
  /**
   * Whether to check that files and folders exist. Needs the permission to read.
   *
   * @default {true}
   */
  checkFiles?: boolean;
  /**
   * Whether to check that the log can be written. If the log file does not exist, a file is created beside it and removed.
   *
   * @default {false}
   */
  tryLog?: boolean;
  /**
   * Whether to search static folders for precompressed files that are older than their original.
   *
   * @default {false}
   */
  searchFolders?: boolean;
  /**
   * Tries whether a port can be opened: why not, or undefined where it can. Without it no port is tried.
   *
   * @param listen IP address or host name; undefined for all interfaces.
   */
  tryPort?: TryPort;
  /**
   * Names of the embedder's own policies.
   *
   * @default {[]}
   */
  policies?: readonly string[];
  /**
   * Whether unknown keys are warnings instead of problems. An unknown key has no effect: a misspelt table that should protect
   * a site leaves it open, and a misspelt `hostname` makes the site respond for all hosts.
   *
   * @default {false}
   */
  lenient?: boolean;
  /**
   * Whether the ports of the config will be opened, so that no upstream may be one of them.
   *
   * @default {true}
   */
  opensPorts?: boolean;
}

/** {@linkcode CheckOptions} with their defaults. */
export type ResolvedOptions = Required<Omit<CheckOptions, "tryPort">> & Pick<CheckOptions, "tryPort">;

/**
 * A check of several keys together, or of the files that keys name. It works on the tree as it was written, so that it finds
 * mistakes even where other keys have wrong types.
 */
export type ConfigCheck = (root: TableNode, problems: ProblemList, options: ResolvedOptions) => void;

/** A schema with its checks. */
export interface ComposedConfig<T> {
  /** Keys, defaults and the checks of single keys. */
  readonly schema: z.ZodType<T>;
  /** Run before the schema: make the paths of files absolute in the tree, and check that the files exist. */
  readonly files: readonly ConfigCheck[];
  /** Checks of several keys together, in this order. */
  readonly checks: readonly ConfigCheck[];
  /** Adds to an accepted config values that only its tree has. */
  readonly complete: (config: T, root: TableNode) => T;
}
