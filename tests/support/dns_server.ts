/**
 * A name server on loopback that answers what a test says, over UDP and TCP, and counts what it is asked.
 *
 * @module
 */

/** A resource record; names without the last dot. */
export type DnsRecord =
  | { type: "A"; address: string; ttlSeconds: number; name?: string }
  | { type: "AAAA"; address: string; ttlSeconds: number; name?: string }
  | { type: "CNAME"; target: string; ttlSeconds: number; name?: string }
  | { type: "TXT"; text: string; ttlSeconds: number; name?: string }
  | { type: "SRV"; target: string; port: number; priority: number; weight: number; ttlSeconds: number; name?: string };

/** What comes back: records (none is an answer too: the name exists, without that type), a failure, nothing, or garbage. */
export type DnsAnswer = readonly DnsRecord[] | "NXDOMAIN" | "SERVFAIL" | "REFUSED" | "silence" | "garbage";

/** A question that came. */
export interface DnsQuestion {
  /** In lower case, without the last dot. */
  readonly name: string;
  /** `A`, `AAAA`, `SRV`, or the number of another type. */
  readonly type: string;
  /** How it came. */
  readonly transport: "udp" | "tcp";
}

/** The name server. Names that no test spoke of do not exist. */
export class DnsServer {
  /** Where it listens, on 127.0.0.1, over UDP and TCP. */
  readonly port: number;
  /** All questions, in order. */
  readonly questions: DnsQuestion[] = [];
  /** Answers UDP questions with the truncated flag and no record, so that the asker has to come again over TCP. */
  truncatesUdp = false;
  readonly #answers = new Map<string, DnsAnswer>();
  readonly #udp: Deno.DatagramConn;
  readonly #tcp: Deno.Listener;
  readonly #conns = new Set<Deno.Conn>();
  readonly #ignored: { query: Uint8Array; from: Deno.Addr }[] = [];
  readonly #running: Promise<unknown>;

  private constructor(udp: Deno.DatagramConn, tcp: Deno.Listener) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = (udp.addr as Deno.NetAddr).port;
    this.#running = Promise.all([this.#serveUdp(), this.#serveTcp()]);
  }

  /** Opens one on a free port. */
  static start(): DnsServer {
    for (let attempt = 0;; attempt++) {
      const udp = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      try {
        return new DnsServer(udp, Deno.listen({ hostname: "127.0.0.1", port: (udp.addr as Deno.NetAddr).port }));
      } catch (error) {
        // The number was free for UDP and taken for TCP.
        udp.close();
        if (attempt === 20) throw error;
      }
    }
  }

  /** From now on answers questions of `type` about `name` with `answer`. */
  set(name: string, type: "A" | "AAAA" | "SRV" | "TXT", answer: DnsAnswer): void {
    this.#answers.set(`${name.toLowerCase()} ${type}`, answer);
  }

  /** How often `name` was asked for, by type or in all. */
  asked(name: string, type?: string): number {
    return this.questions.filter((asked) => asked.name === name && (type === undefined || asked.type === type)).length;
  }

  /** Closes it. Those who met with silence are told of a failure now, so that the runtime does not go on waiting. */
  async close(): Promise<void> {
    for (const { query, from } of this.#ignored) await this.#udp.send(reply(query, "SERVFAIL"), from).catch(() => 0);
    this.#udp.close();
    this.#tcp.close();
    for (const conn of this.#conns) conn.close();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serveUdp(): Promise<void> {
    for await (const [query, from] of this.#udp) {
      const answer = this.#answerTo(query, "udp");
      if (answer === "silence") this.#ignored.push({ query, from });
      else await this.#udp.send(reply(query, answer, this.truncatesUdp), from).catch(() => 0);
    }
  }

  async #serveTcp(): Promise<void> {
    const served: Promise<void>[] = [];
    for await (const conn of this.#tcp) {
      this.#conns.add(conn);
      served.push(this.#serveConn(conn).catch(() => {}).finally(() => this.#conns.delete(conn)));
    }
    await Promise.all(served);
  }

  async #serveConn(conn: Deno.Conn): Promise<void> {
    const reader = conn.readable.getReader();
    const writer = conn.writable.getWriter();
    let held = new Uint8Array(0);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      held = joined([held, read.value]);
      while (held.length >= 2 && held.length >= 2 + (held[0] << 8 | held[1])) {
        const length = held[0] << 8 | held[1];
        const query = held.slice(2, 2 + length);
        held = held.slice(2 + length);
        const answer = this.#answerTo(query, "tcp");
        if (answer === "silence") continue;
        const message = reply(query, answer);
        await writer.write(joined([uint16(message.length), message]));
      }
    }
  }

  #answerTo(query: Uint8Array, transport: "udp" | "tcp"): DnsAnswer {
    const { name, type } = question(query);
    this.questions.push({ name, type, transport });
    return this.#answers.get(`${name} ${type}`) ?? this.#absent(name);
  }

  // A name with any record exists; it has no other types.
  #absent(name: string): DnsAnswer {
    const exists = [...this.#answers].some(([key, answer]) => key.startsWith(`${name} `) && typeof answer !== "string");
    return exists ? [] : "NXDOMAIN";
  }
}

const TYPES: Readonly<Record<string, number>> = { A: 1, CNAME: 5, TXT: 16, AAAA: 28, SRV: 33 };
const RCODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

function reply(query: Uint8Array, answer: Exclude<DnsAnswer, "silence">, truncated = false): Uint8Array<ArrayBuffer> {
  if (answer === "garbage") return joined([query.subarray(0, 2), uint16(0xffff)]);
  const { name, end } = question(query);
  const records = typeof answer === "string" || truncated ? [] : answer;
  const rcode = typeof answer === "string" ? RCODES[answer] : 0;
  // Response, recursion desired and available (RFC 1035, section 4.1.1).
  const flags = 0x8180 | rcode | (truncated ? 0x0200 : 0);
  const head = [uint16(flags), uint16(1), uint16(records.length), uint16(0), uint16(0)];
  const body = records.map((record) => encode(record, name));
  return joined([query.subarray(0, 2), ...head, query.subarray(12, end), ...body]);
}

function question(query: Uint8Array): { name: string; type: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  while (query[at] !== 0) {
    labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + query[at])));
    at += 1 + query[at];
  }
  const number = query[at + 1] << 8 | query[at + 2];
  const type = Object.keys(TYPES).find((known) => TYPES[known] === number) ?? String(number);
  return { name: labels.join(".").toLowerCase(), type, end: at + 5 };
}

function encode(record: DnsRecord, asked: string): Uint8Array<ArrayBuffer> {
  const data = recordData(record);
  const ttl = [uint16(record.ttlSeconds >>> 16), uint16(record.ttlSeconds & 0xffff)];
  const head = [nameBytes(record.name ?? asked), uint16(TYPES[record.type]), uint16(1), ...ttl, uint16(data.length)];
  return joined([...head, data]);
}

function recordData(record: DnsRecord): Uint8Array<ArrayBuffer> {
  if (record.type === "A") return Uint8Array.from(record.address.split("."), Number);
  if (record.type === "AAAA") return joined(ipv6Groups(record.address).map(uint16));
  if (record.type === "TXT") return joined([Uint8Array.of(record.text.length), new TextEncoder().encode(record.text)]);
  if (record.type === "CNAME") return nameBytes(record.target);
  return joined([uint16(record.priority), uint16(record.weight), uint16(record.port), nameBytes(record.target)]);
}

function ipv6Groups(address: string): number[] {
  const [front, back] = address.split("::").map((part) => part === "" ? [] : part.split(":"));
  const zeros = back === undefined ? [] : new Array<string>(8 - front.length - back.length).fill("0");
  return [...front, ...zeros, ...(back ?? [])].map((group) => parseInt(group, 16));
}

function nameBytes(name: string): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").filter((label) => label !== "");
  return joined([
    ...labels.map((label) => joined([Uint8Array.of(label.length), new TextEncoder().encode(label)])),
    Uint8Array.of(0),
  ]);
}

function uint16(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >> 8 & 0xff, value & 0xff);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
