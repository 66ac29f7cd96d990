/**
 * The tables of features on sites and on routes; the table of a route replaces that of its site.
 *
 * @module
 */

import type { z } from "zod";
import type { ConfigCheck } from "../../config/composed_config.ts";
import { type Unset, unset } from "../../config/fields.ts";
import { resolvePath } from "../../config/file_paths.ts";
import type { ProblemList } from "../../config/problem_list.ts";
import {
  nodeAt,
  plainValue,
  type SourceNode,
  type TableNode,
  tableOf,
  tablesOf,
  textNode,
} from "../../config/source_tree.ts";
import type { Report } from "../../features/feature.ts";
import type { AnyFeature } from "../../features/features.ts";

/** Where the table of a feature is allowed. */
export type Scope = AnyFeature["scopes"][number];

type Scoped<F extends AnyFeature, S extends Scope> = F extends AnyFeature ? S extends F["scopes"][number] ? F : never
  : never;

type Defaulted = z.ZodDefault | z.ZodPrefault | z.ZodOptional;

/** The keys of the features of a site or of a route. */
export type FeatureKeys<F extends readonly AnyFeature[], S extends Scope> = {
  [One in Scoped<F[number], S> as One["key"]]: S extends "site"
    ? One["schema"] extends Defaulted ? One["schema"] : z.ZodOptional<One["schema"]>
    : z.ZodOptional<Unset<One["schema"]>>;
};

/**
 * The keys of those `features` that are allowed there. For an absent table the default of its schema applies; on a route, the
 * table of the site.
 */
export function featureKeys<const F extends readonly AnyFeature[], S extends Scope>(
  features: F,
  scope: S,
): FeatureKeys<F, S> {
  const keys = features.filter(({ scopes }) => scopes.includes(scope)).map(({ key, schema }) => {
    const sentence = schema.description ?? "";
    if (scope === "route") {
      return [key, unset(schema).optional().describe(`${sentence} Takes the place of the site's.`.trimStart())];
    }
    return [key, unset(schema) === schema ? schema.optional().describe(sentence) : schema];
  });
  return Object.fromEntries(keys);
}

/** Runs the checks of features on each table that is present and valid. */
export function featureChecks(features: readonly AnyFeature[]): ConfigCheck {
  const checked = features.filter(({ check }) => check !== undefined);
  return (root, problems) => {
    if (checked.length === 0) return;
    for (const site of tablesOf(root, "sites")) {
      for (const feature of checked) {
        checkFeature(feature, site, problems);
        for (const route of tablesOf(tableOf(site, "proxy"), "routes")) checkFeature(feature, route, problems);
      }
    }
  };
}

/** Makes the paths of files and folders that the tables of features name absolute, and checks whether they can be read. */
export function featureFiles(features: readonly AnyFeature[]): ConfigCheck {
  const named = features.filter(({ files, folders }) => files !== undefined || folders !== undefined);
  return (root, problems, options) => {
    for (const site of tablesOf(root, "sites")) {
      for (const owner of [site, ...tablesOf(tableOf(site, "proxy"), "routes")]) {
        for (const { key, files = [], folders = [] } of named) {
          const table = tableOf(owner, key);
          for (const name of files) resolvePath(textNode(table, name), "file", problems, options);
          for (const name of folders) resolvePath(textNode(table, name), "folder", problems, options);
        }
      }
    }
  };
}

function checkFeature({ key, schema, check }: AnyFeature, owner: TableNode, problems: ProblemList): void {
  const entry = owner.entries.get(key);
  if (entry === undefined) return;
  const { success, data } = schema.safeParse(plainValue(entry.node));
  if (success) check?.(data, reportAt(entry.node, problems));
}

function reportAt(table: SourceNode, problems: ProblemList): Report {
  return {
    error: (path, details) => problems.error(nodeAt(table, path), details),
    warning: (path, details) => problems.warning(nodeAt(table, path), details),
  };
}
