/**
 * How pools are called, the same in the dashboard and in `bws top`.
 *
 * @module
 */

/** @typedef {import("../../snapshot.ts").PoolSnapshot} PoolSnapshot */

/**
 * Names of pools by their `id`; where sites have pools of the same name, with the site before it.
 *
 * @param {readonly PoolSnapshot[]} pools
 * @returns {ReadonlyMap<string, string>}
 */
export function poolLabels(pools) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { name } of pools) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map(pools.map(({ id, name, site }) => [id, (counts.get(name) ?? 0) > 1 ? `${site}/${name}` : name]));
}
