/** Types of `ws`, as far as the tests use it; the package carries none. */

interface Options {
  perMessageDeflate?: boolean;
  maxPayload?: number;
  headers?: Record<string, string>;
}

interface ServerOptions extends Options {
  host?: string;
  port?: number;
  handleProtocols?: (protocols: Set<string>) => string | false;
}

export class WebSocket {
  constructor(url: string, protocols?: string[], options?: Options);
  readonly protocol: string;
  /** 1 while it is open. */
  readonly readyState: number;
  readonly extensions: string;
  send(data: string | Uint8Array, options?: { binary?: boolean; fin?: boolean }): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: "open", listener: () => void): void;
  on(event: "message", listener: (data: Uint8Array, binary: boolean) => void): void;
  on(event: "close", listener: (code: number, reason: Uint8Array) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

export class WebSocketServer {
  constructor(options: ServerOptions);
  address(): { port: number };
  close(done?: () => void): void;
  on(event: "listening", listener: () => void): void;
  on(
    event: "connection",
    listener: (socket: WebSocket, request: { url: string; headers: Record<string, string> }) => void,
  ): void;
}
