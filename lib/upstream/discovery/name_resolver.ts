/**
 * Look-up of names with the means of the runtime (Deno 2.9.6). Its observed behaviour:
 *
 * - `Deno.resolveDns` has no TTLs; `node:dns` has them for A and AAAA (`ttl: true`), not for SRV. Both use the same
 *   client. It reads `/etc/resolv.conf` for each query, follows its search domains and `ndots`, repeats a query over
 * TCP
 *   when an answer is truncated, and caches nothing. It fails after three timeouts of 5 s, or as set in `resolv.conf`.
 * - It ignores the hosts file, and refuses names with underscores (`my_service` of Docker Compose) but for SRV.
 * - NXDOMAIN, SERVFAIL, REFUSED and "no such records" look alike: `NotFound`, `ENOTFOUND`.
 * - `node:dns` `lookup` with `all` is getaddrinfo: hosts file, search domains, underscores, mDNS. It has no TTL, cannot be
 *   cancelled and holds a thread for 10 s when the name server is silent; but it distinguishes "does not exist"
 *   (`ENOTFOUND`) from a temporary failure (`EAI_AGAIN`).
 *
 * So the hosts file comes first, then DNS, then getaddrinfo where DNS has found nothing.
 *
 * @module
 */

import { promises as dns } from "node:dns";
import { isIP } from "node:net";
import { handleShortage } from "../../failure/shortage.ts";
import { upstreamAddress } from "./addresses.ts";
import { hostsFileAddresses, systemHostsFile } from "./hosts_file.ts";

/** Where a {@linkcode NameResolver} looks names up. */
export interface NameResolverOptions {
  /**
   * Name servers, tried in order: `10.0.0.2`, `10.0.0.2:5353`, `[fd00::2]:53`. With them neither the hosts file nor
   * getaddrinfo is used, unless they are given here too.
   *
   * @default {those of the system}
   */
  readonly servers?: readonly string[];
  /**
   * Path of the hosts file.
   *
   * @default {the system's}
   */
  readonly hostsFile?: string;
  /**
   * The last look-up: all addresses of a name. Rejects with a `code` as `node:dns` does.
   *
   * @default {getaddrinfo}
   */
  readonly systemLookup?: (name: string) => Promise<readonly string[]>;
  /**
   * How long the answer of one address family is awaited after that of the other, in milliseconds.
   *
   * @default {2000}
   */
  readonly laggardMs?: number;
}

/** Addresses of a name. */
export interface NameAddresses {
  /** IPv4 addresses; undefined when the look-up failed. */
  readonly ipv4: readonly string[] | undefined;
  /** IPv6 addresses; undefined when the look-up failed. */
  readonly ipv6: readonly string[] | undefined;
  /** How long they are valid, in milliseconds; undefined when that is not known. */
  readonly ttlMs: number | undefined;
}

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  /** Name of the host, absolute: it ends with a dot. */
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Looks names up. One serves any number of upstreams and caches nothing. */
export class NameResolver {
  readonly #servers: readonly string[] | undefined;
  readonly #hostsFile: string | undefined;
  readonly #systemLookup: ((name: string) => Promise<readonly string[]>) | undefined;
  readonly #laggardMs: number;
  // Look-ups that cannot be cancelled must not use up the runtime's threads while a name server is silent.
  readonly #underWay = new Map<string, Promise<readonly string[]>>();

  constructor(options: NameResolverOptions = {}) {
    this.#servers = options.servers;
    const asTheSystem = options.servers === undefined;
    this.#hostsFile = options.hostsFile ?? (asTheSystem ? systemHostsFile() : undefined);
    this.#systemLookup = options.systemLookup ?? (asTheSystem ? getaddrinfo : undefined);
    this.#laggardMs = options.laggardMs ?? 2000;
  }

  /**
   * The addresses of `name`. None in either family means that there is no such name, or none with addresses.
   *
   * @throws {Error} When the look-up fails, or `signal` fired.
   */
  async addresses(name: string, signal: AbortSignal): Promise<NameAddresses> {
    if (isIP(name) !== 0) return byFamily([name]);
    if (this.#hostsFile !== undefined) {
      const listed = byFamily(await hostsFileAddresses(this.#hostsFile, name));
      if (hasAny(listed)) return listed;
    }
    const { ipv4, ipv6, failure } = await this.#bothFamilies(name, signal);
    signal.throwIfAborted();
    const answered = [...ipv4 ?? [], ...ipv6 ?? []];
    if (answered.length > 0) {
      const ttlMs = 1000 * Math.min(...answered.map((record) => record.ttl));
      return { ipv4: ipv4 && usable(ipv4), ipv6: ipv6 && usable(ipv6), ttlMs };
    }
    if (failure !== undefined && this.#systemLookup === undefined) throw failure;
    return byFamily(await this.#system(name, signal));
  }

  /**
   * The SRV records of `name`. None means that there is no such service.
   *
   * @throws {Error} When the look-up fails, or `signal` fired.
   */
  async services(name: string, signal: AbortSignal): Promise<readonly ServiceRecord[]> {
    const records = await this.#query(signal, (resolver) => resolver.resolveSrv(name));
    // Only getaddrinfo distinguishes a failing name server from a name that does not exist; the addresses do not
    // matter.
    if (records.length === 0) await this.#system(name, signal);
    // The target "." means that the service is not offered (RFC 2782).
    return records.map(({ name, port, priority, weight }) => ({ target: `${name}.`, port, priority, weight }))
      .filter(({ target, port }) => target !== "." && port > 0);
  }

  async #bothFamilies(name: string, signal: AbortSignal): Promise<FamilyAnswers> {
    const laggard = new AbortController();
    const ends = AbortSignal.any([signal, laggard.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (question: (resolver: dns.Resolver) => Promise<TimedAddress[]>) => {
      const records = await this.#query(ends, question);
      if (records.length > 0) timer ??= setTimeout(() => laggard.abort(), this.#laggardMs);
      return records;
    };
    const [ipv4, ipv6] = await Promise.allSettled([
      ask((resolver) => resolver.resolve4(name, { ttl: true })),
      ask((resolver) => resolver.resolve6(name, { ttl: true })),
    ]);
    clearTimeout(timer);
    return {
      ipv4: ipv4.status === "fulfilled" ? ipv4.value : undefined,
      ipv6: ipv6.status === "fulfilled" ? ipv6.value : undefined,
      failure: [ipv4, ipv6].find((settled) => settled.status === "rejected")?.reason,
    };
  }

  async #query<T>(signal: AbortSignal, question: (resolver: dns.Resolver) => Promise<T[]>): Promise<T[]> {
    signal.throwIfAborted();
    // One for each query, since `cancel` ends all queries of a resolver. Its `timeout` is not used: the runtime leaks
    // the timer.
    const resolver = new dns.Resolver();
    if (this.#servers !== undefined) resolver.setServers(this.#servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await question(resolver);
    } catch (error) {
      if (!saysAbsent(error)) throw error;
      throwIfNoHandles();
      return [];
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async #system(name: string, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#systemLookup === undefined) return [];
    let lookup = this.#underWay.get(name);
    if (lookup === undefined) {
      lookup = this.#systemLookup(name).finally(() => this.#underWay.delete(name));
      this.#underWay.set(name, lookup);
    }
    try {
      return await unlessAborted(lookup, signal);
    } catch (error) {
      if (!saysAbsent(error)) throw error;
      throwIfNoHandles();
      return [];
    }
  }
}

interface TimedAddress {
  address: string;
  ttl: number;
}

interface FamilyAnswers {
  ipv4: TimedAddress[] | undefined;
  ipv6: TimedAddress[] | undefined;
  failure: unknown;
}

async function getaddrinfo(name: string): Promise<readonly string[]> {
  return (await dns.lookup(name, { all: true })).map(({ address }) => address);
}

// Without a free file handle every look-up fails as if the name did not exist.
function throwIfNoHandles(): void {
  const shortage = handleShortage();
  if (shortage !== undefined) throw new Error(`Cannot look names up: ${shortage.advice}`);
}

function saysAbsent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}

function usable(records: readonly TimedAddress[]): readonly string[] {
  return records.map(({ address }) => upstreamAddress(address)).filter((address) => address !== undefined);
}

function byFamily(texts: readonly string[]): NameAddresses {
  const addresses = texts.map(upstreamAddress).filter((address) => address !== undefined);
  return {
    ipv4: addresses.filter((address) => !address.includes(":")),
    ipv6: addresses.filter((address) => address.includes(":")),
    ttlMs: undefined,
  };
}

function hasAny({ ipv4, ipv6 }: NameAddresses): boolean {
  return (ipv4?.length ?? 0) + (ipv6?.length ?? 0) > 0;
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
