/**
 * The owners of keys. A key belongs to a partition, and a partition to the upstream with the best score for it; the
 * score depends only on the partition, the upstream's id and its weight (weighted rendezvous hashing). So an upstream
 * that is added or removed moves only its own partitions, shares follow the weights, and proxies with the same
 * upstreams have the same owners.
 *
 * Why not a ring or Maglev's table: with 160 points a server, the shares of a ring are off by 8 % even for two
 * upstreams, and its points must be scaled to the sum of the weights, so that a change of one moves keys of others;
 * Maglev's table is even, but moves keys between upstreams that stay. Here shares are off by √(n / 65536): 1 % for 10,
 * 4 % for 100.
 *
 * @module
 */

import type { Candidate } from "./policy.ts";
import { hashText, hashTextAgain, mix } from "./string_hash.ts";

/**
 * Number of partitions; a power of two. The same for pools of any size, or a pool that grows would move all its keys.
 */
export const PARTITIONS = 65_536;

const PARTITION_SHIFT = 16;
const NOBODY = 0xffff_ffff;

/**
 * The upstreams, by columns: partitions times upstreams is a large number, and objects would make it take twice as
 * long.
 */
interface Members {
  readonly ids: readonly string[];
  /** Two hashes of each id, so that two upstreams which collide in one still differ. */
  readonly hashes: Int32Array;
  readonly again: Int32Array;
  readonly weights: Float64Array;
}

/** Owners of all partitions, as indices into the list of upstreams. */
export class PartitionTable {
  #members: Members = membersOf([]);
  readonly #owners = new Uint32Array(PARTITIONS).fill(NOBODY);

  /** Index of the upstream that owns the partition of `hash`. There must be one. */
  owner(hash: number): number {
    return this.#owners[hash >>> PARTITION_SHIFT];
  }

  /** How far the upstream at `index` is from owning the partition of `hash`; the lowest owns it. */
  distance(hash: number, index: number): number {
    return distance(mix(hash >>> PARTITION_SHIFT), this.#members, index);
  }

  /**
   * Replaces the upstreams. A partition whose owner stays is compared with the added ones; only a partition without an
   * owner is compared with all. The result is the same as that of a new table.
   */
  update(upstreams: readonly Candidate[]): void {
    const before = this.#members;
    const members = membersOf(upstreams);
    const indices = new Map(members.ids.map((id, index) => [id, index]));
    const stays = Uint32Array.from(before.ids, (id, index) => {
      const now = indices.get(id) ?? NOBODY;
      return now !== NOBODY && members.weights[now] === before.weights[index] ? now : NOBODY;
    });
    const stayed = new Set(stays);
    const everyone = Uint32Array.from(upstreams, (_, index) => index);
    const came = everyone.filter((index) => !stayed.has(index));
    const owners = this.#owners;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const owner = owners[partition] === NOBODY ? NOBODY : stays[owners[partition]];
      owners[partition] = nearest(mix(partition), members, owner === NOBODY ? everyone : came, owner);
    }
    this.#members = members;
  }
}

function membersOf(upstreams: readonly Candidate[]): Members {
  return {
    ids: upstreams.map(({ id }) => id),
    hashes: Int32Array.from(upstreams, ({ id }) => hashText(id)),
    again: Int32Array.from(upstreams, ({ id }) => hashTextAgain(id)),
    weights: Float64Array.from(upstreams, ({ weight }) => weight),
  };
}

/** The nearest to a partition of `first` and `contenders`, which are indices of members. */
function nearest(mixedPartition: number, members: Members, contenders: Uint32Array, first: number): number {
  const { weights } = members;
  let best = first;
  let bestDistance = first === NOBODY ? Infinity : distance(mixedPartition, members, first);
  for (let i = 0; i < contenders.length; i++) {
    const index = contenders[i];
    const share = fraction(mixedPartition, members, index);
    // 1 - x is never above -ln x and close to it where it matters: the logarithm is taken for the few that can win
    if (1 - share >= bestDistance * weights[index]) continue;
    const candidate = -Math.log(share) / weights[index];
    if (candidate >= bestDistance) continue;
    best = index;
    bestDistance = candidate;
  }
  return best;
}

/** An exponential variable whose rate is the weight: the chance to be the lowest of several is in proportion to it. */
function distance(mixedPartition: number, members: Members, index: number): number {
  return -Math.log(fraction(mixedPartition, members, index)) / members.weights[index];
}

/** A number in (0, 1) that depends on the partition and the upstream. */
function fraction(mixedPartition: number, { hashes, again }: Members, index: number): number {
  let mixed = mixedPartition ^ hashes[index];
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad) ^ again[index];
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (((mixed ^ (mixed >>> 15)) >>> 0) + 0.5) / 0x1_0000_0000;
}
