/**
 * The own listener on a free port of loopback, in front of one site that sends everything to one pool.
 *
 * @module
 */

import { resolveConfig } from "../../../lib/generation/config/resolve_config.ts";
import { Generation, type GenerationOptions } from "../../../lib/generation/generation.ts";
import type { ListenerLimits } from "../../../lib/listener/own/limits_schema.ts";
import { SocketListener } from "../../../lib/listener/own/socket_listener.ts";
import { until } from "../../support/condition.ts";
import { configOf, type RunningProxyOptions } from "../../support/running_proxy.ts";

/** A listener that runs. */
export class OwnListener {
  /** What it responds with. */
  readonly generation: Generation;
  /** The listener itself. */
  readonly listener: SocketListener;

  /** Opens one. */
  constructor(
    options: RunningProxyOptions,
    limits: Partial<ListenerLimits> = {},
    { trusts, ...generation }: GenerationOptions & { trusts?: (address: string) => boolean } = {},
  ) {
    this.generation = new Generation(resolveConfig(configOf(options)).config, generation);
    this.listener = new SocketListener(this.generation.listeners[0], { limits, trusts });
  }

  /** Its port. */
  get port(): number {
    return this.listener.address.port;
  }

  /** Stops it. Fails when an exchange has not ended: whoever left should have ended it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await until("no exchange is under way", () => this.generation.underWay === 0);
    } finally {
      this.listener.abort();
      this.generation.close();
      await until("no connection is open", () => this.listener.connections === 0);
    }
  }
}
