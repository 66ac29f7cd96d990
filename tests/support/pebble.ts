/**
 * Pebble, the ACME server that Let's Encrypt made for tests, with real validation: it asks a name server of the test, and
 * looks for challenges on a port of 127.0.0.1. It refuses nonces at random.
 *
 * @module
 */

import { Certificates } from "./certificates.ts";
import { until } from "./condition.ts";
import { DnsServer } from "./dns_server.ts";
import { freePort } from "./port.ts";

/** How pebble is started. */
export interface PebbleOptions {
  /**
   * Port on which it looks for challenges.
   *
   * @default {one that is free}
   */
  readonly httpPort?: number;
  /**
   * Keys of external accounts by their identifier; with them every account needs one.
   *
   * @default {none}
   */
  readonly bindings?: Readonly<Record<string, string>>;
  /**
   * Variables of its environment, as `PEBBLE_WFE_NONCEREJECT`.
   *
   * @default {{}}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Its port.
   *
   * @default {one that is free}
   */
  readonly port?: number;
}

/** A running pebble with its name server. */
export class Pebble {
  /** URL of its directory. */
  readonly directoryUrl: string;
  readonly httpPort: number;
  /** The name server that it asks. */
  readonly dns: DnsServer;
  /** Path of the authority of its own certificate. */
  readonly caFile: string;
  readonly #managementUrl: string;
  readonly #client: Deno.HttpClient;
  readonly #child: Deno.ChildProcess;
  readonly #certificates: Certificates;
  readonly #folder: string;

  private constructor(parts: PebbleParts) {
    this.directoryUrl = `https://127.0.0.1:${parts.port}/dir`;
    this.#managementUrl = `https://127.0.0.1:${parts.managementPort}`;
    this.httpPort = parts.httpPort;
    this.dns = parts.dns;
    this.caFile = parts.certificates.caFile;
    this.#client = parts.client;
    this.#child = parts.child;
    this.#certificates = parts.certificates;
    this.#folder = parts.folder;
  }

  /** Starts one. */
  static async start({ httpPort = freePort(), bindings, env = {}, port = freePort() }: PebbleOptions = {}) {
    const certificates = await Certificates.make("IP:127.0.0.1,DNS:localhost");
    const folder = await Deno.makeTempDir({ prefix: "bws-pebble-" });
    await Deno.writeTextFile(`${folder}/cert.pem`, certificates.cert);
    await Deno.writeTextFile(`${folder}/key.pem`, certificates.key);
    const managementPort = freePort();
    const pebble = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: `127.0.0.1:${managementPort}`,
      certificate: `${folder}/cert.pem`,
      privateKey: `${folder}/key.pem`,
      ...{ httpPort, tlsPort: freePort(), ocspResponderURL: "" },
      externalAccountBindingRequired: bindings !== undefined,
      externalAccountMACKeys: bindings ?? {},
    };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ pebble }));
    const dns = DnsServer.start();
    const child = new Deno.Command("pebble", {
      args: ["-config", `${folder}/config.json`, "-dnsserver", `127.0.0.1:${dns.port}`, "-strict"],
      env: { PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "15", ...env },
      ...{ stdin: "null", stdout: "null", stderr: "null" } as const,
    }).spawn();
    const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(certificates.caFile)] });
    const started = new Pebble({ port, managementPort, httpPort, dns, certificates, client, child, folder });
    await until("pebble responds", () => started.#responds());
    return started;
  }

  /** The certificate of the authority that issues, PEM. */
  async root(number = 0): Promise<string> {
    const response = await fetch(`${this.#managementUrl}/roots/${number}`, { client: this.#client });
    return await response.text();
  }

  /** Makes a name lead to 127.0.0.1. */
  name(name: string): void {
    this.dns.set(name, "A", [{ type: "A", address: "127.0.0.1", ttlSeconds: 1 }]);
    this.dns.set(name, "AAAA", []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    try {
      this.#child.kill();
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.dns.close();
    await this.#certificates[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #responds(): Promise<boolean> {
    try {
      const response = await fetch(this.directoryUrl, { client: this.#client });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }
}

interface PebbleParts {
  readonly port: number;
  readonly managementPort: number;
  readonly httpPort: number;
  readonly dns: DnsServer;
  readonly certificates: Certificates;
  readonly client: Deno.HttpClient;
  readonly child: Deno.ChildProcess;
  readonly folder: string;
}

/** Whether tests with pebble cannot run here. */
export const pebbleIsMissing: boolean = !hasPebble();

function hasPebble(): boolean {
  try {
    new Deno.Command("pebble", { args: ["-h"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
