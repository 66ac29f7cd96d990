/**
 * What a config is made of: a schema, and what is checked besides it. The parts of the program say it, each of its own
 * keys; this folder knows how a config is read, and of no key.
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
   * Folder from which relative paths start: that of the config file, where there is one. Never any other.
   *
   * @default {"."}
   */
  baseDir?: string;
  /**
   * What `baseDir` is, in words.
   *
   * @default {"the folder of the config"}
   */
  baseName?: string;
  /**
   * Whether to look if files and folders are there. Needs the permission to read.
   *
   * @default {true}
   */
  checkFiles?: boolean;
  /**
   * Whether to try if the log can be written. Where there is no file yet, one is made beside it and removed.
   *
   * @default {false}
   */
  tryLog?: boolean;
  /**
   * Whether to look through static folders for precompressed files that are older than their file.
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
   * Names of policies beside the built-in ones, which the embedder brings.
   *
   * @default {[]}
   */
  policies?: readonly string[];
  /**
   * Whether keys that are not known are warnings, instead of problems. What such a key was meant to do is then not done: a
   * table that should protect a site leaves it open, and a misspelt `hostname` lets the site answer for all hosts.
   *
   * @default {false}
   */
  lenient?: boolean;
  /**
   * Whether the ports of the config are opened, so that an upstream must not be one of them.
   *
   * @default {true}
   */
  opensPorts?: boolean;
}

/** {@linkcode CheckOptions} with their defaults. */
export type ResolvedOptions = Required<Omit<CheckOptions, "tryPort">> & Pick<CheckOptions, "tryPort">;

/**
 * Checks what several keys decide together, or looks after the files that keys name. Works on the tree as it was written, so
 * that it finds its mistakes even where other keys have wrong types.
 */
export type ConfigCheck = (root: TableNode, problems: ProblemList, options: ResolvedOptions) => void;

/** A schema with its checks. */
export interface ComposedConfig<T> {
  /** Keys, defaults and what one key alone decides. */
  readonly schema: z.ZodType<T>;
  /** Make the paths of files absolute in the tree, before the schema reads it, and look whether they are there. */
  readonly files: readonly ConfigCheck[];
  /** What several keys decide together, in this order. */
  readonly checks: readonly ConfigCheck[];
  /** Adds to an accepted config what only its tree tells. */
  readonly complete: (config: T, root: TableNode) => T;
}
