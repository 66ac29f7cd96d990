/**
 * What a proxy must be able to do to be measured.
 *
 * @module
 */

/** What a peer can do: proxy, or small answers only; route by path, balance over a pool, relay WebSockets, serve files. */
export type Ability = "proxy" | "small" | "routes" | "pool" | "sockets" | "files";

/** What a peer is to do. */
export interface Setting {
  /** Port of 127.0.0.1 that it listens on. */
  port: number;
  /** Folder of its own for its config and whatever it writes. */
  folder: string;
  /** Upstreams as `host:port`; they get requests in turn, and WebSockets below `/socket`. */
  upstreams: readonly string[];
  /** Prefixes that are routed, all to the upstreams; none: everything is. */
  routes: readonly string[];
  /** Folder to serve, in place of proxying. */
  files?: string;
  /** How many cores it may use. */
  workers: number;
}

/** A command to run. */
export interface Start {
  command: string;
  args: string[];
  env?: Record<string, string>;
}

/** A proxy. */
export interface Peer {
  /** What it is called. */
  name: string;
  /** What it is called in `--peers`. */
  key: string;
  /** What it can do. */
  abilities: readonly Ability[];
  /** Which version is here. @throws {Error} When it is not here and cannot be installed. */
  version(): Promise<string>;
  /** Writes its config and gives its command; nothing where the upstream itself is to be asked. */
  prepare(setting: Setting): Promise<Start | undefined>;
}

/** What a program says of its version. @throws {Error} When it is not installed. */
export async function versionOf(program: string, ...args: string[]): Promise<string> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, { args, stdin: "null" }).output();
  } catch {
    throw new Error("not installed");
  }
  const text = new TextDecoder().decode(output.stdout) || new TextDecoder().decode(output.stderr);
  return /\d+\.\d+[\w.+-]*/.exec(text)?.[0] ?? text.trim();
}
