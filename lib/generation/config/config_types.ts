/**
 * The types of a config, as it is written and as the program uses it.
 *
 * Made of the schema by `deno task generate`; not to be changed by hand.
 *
 * @module
 */

import type { StatusRange } from "../../http/status_range.ts";

/** A config as it is written: keys with a default may be absent, durations and sizes may be text. */
export interface ConfigInput {
  /** What holds for the whole process. */
  server?: ServerInput;
  /** What is written where. */
  logging?: LoggingInput;
  /** The API for operators. */
  management?: ManagementInput;
  /** Certificates that BWS obtains itself. */
  acme?: AcmeInput;
  /** A Redis in place of the folder acme.storage, so that several machines share certificates. */
  store?: StoreInput;
  /** The sites, at least one. */
  sites: SiteInput[];
}

/** `[server]`. What holds for the whole process. */
export interface ServerInput {
  /**
   * Name of this server; in the Via header field, characters that a token may not hold become "-".
   *
   * @default {"bws"}
   */
  name?: string;
  /**
   * Addresses and networks whose X-Forwarded-* and Forwarded header fields are trusted.
   *
   * @default {[]}
   */
  trusted_proxies?: string[];
  /**
   * Name servers for the names of upstreams; without them, the system's.
   *
   * @default {[]}
   */
  name_servers?: string[];
  /**
   * How many workers share the ports; "auto" is one for each processor.
   *
   * @default {1}
   */
  workers?: number | "auto";
  /** Module whose functions see each request before BWS does and its response after; loaded anew with each reload. */
  middleware?: string;
  /** Largest request body; without it there is no limit. */
  max_body_size?: string | number;
  /** Limits of BWS's own listener for clients. */
  limits?: LimitsInput;
  /**
   * How long a WebSocket stays open after its route was changed or removed.
   *
   * @default {"5s"}
   */
  stream_close_delay?: string | number;
  /** What serves the ports: "own", BWS's listener, or "runtime", the server of Deno. Without it, "own". */
  listener?: "own" | "runtime";
  /**
   * How sockets of cleartext are driven: by the runtime, or by Linux itself (epoll, io_uring), which needs --allow-ffi; "auto" is the best that works here.
   *
   * @default {"auto"}
   */
  sockets?: "auto" | "runtime" | "epoll" | "uring";
  /**
   * Let another process listen on the same ports, so that a new one can start before the old one ends; Linux only.
   *
   * @default {false}
   */
  reuse_port?: boolean;
  /**
   * How long the server continues to serve, while it reports that it is not ready, before it stops.
   *
   * @default {0}
   */
  shutdown_delay?: string | number;
  /**
   * How long exchanges may take to end when the server stops.
   *
   * @default {"30s"}
   */
  shutdown_timeout?: string | number;
}

/** `[logging]`. What is written where. */
export interface LoggingInput {
  /**
   * The least severe messages to write.
   *
   * @default {"info"}
   */
  level?: "error" | "debug" | "info" | "warn";
  /**
   * Form of a line: JSON, or the combined log format.
   *
   * @default {"json"}
   */
  format?: "json" | "combined";
  /**
   * "stdout", "stderr", the path of a file, "syslog" for the local syslog server, or the URL of another one: "syslog+udp://HOST:PORT", "syslog+tcp://HOST:PORT", "syslog+unix:/PATH".
   *
   * @default {"stdout"}
   */
  output?: string;
  /**
   * Whether each exchange writes a line.
   *
   * @default {true}
   */
  access?: boolean;
  /** Lines of the access log; false for none, a text for another output. */
  access_log?: string | false | true | AccessLogInput;
  /** Rotation of all log files by BWS: a file is renamed, with the time behind its name. */
  rotate?: RotateInput;
  /** What messages to a syslog server have. */
  syslog?: SyslogInput;
}

/** `[management]`. The API for operators. */
export interface ManagementInput {
  /**
   * Whether the management API listens.
   *
   * @default {false}
   */
  enabled?: boolean;
  /**
   * Whether metrics are kept; without them a request costs a little less.
   *
   * @default {true}
   */
  metrics?: boolean;
  /**
   * Address to listen on; anything but loopback needs an api_key.
   *
   * @default {"127.0.0.1"}
   */
  host?: string;
  /**
   * Port to listen on; 0 is any free one.
   *
   * @default {7654}
   */
  port?: number;
  /** Host names under which callers know the management API, besides localhost, IP addresses and host. */
  hosts?: string[];
  /** Key that callers of the management API must send, of at least 16 characters. */
  api_key?: string;
}

/** `[acme]`. Certificates that BWS obtains itself. */
export interface AcmeInput {
  /** Address of the account, to which authorities write. */
  email?: string;
  /**
   * Whether the terms of service of the authorities are agreed to; without that they issue no certificates.
   *
   * @default {true}
   */
  agree_tos?: boolean;
  /**
   * Authorities, in the order in which they are tried; without any, Let's Encrypt.
   *
   * @default {[]}
   */
  directories?: DirectoryInput[];
  /**
   * Use the staging environment of Let's Encrypt, whose certificates browsers do not trust, in place of the directories.
   *
   * @default {false}
   */
  staging?: boolean;
  /** Folder for accounts, certificates and the local authority. Without it, $STATE_DIRECTORY, or bws in the user's data folder. */
  storage?: string;
  /**
   * Kind of the certificates' keys.
   *
   * @default {"p256"}
   */
  key_type?: "p256" | "p384" | "rsa2048" | "rsa4096";
  /**
   * Port on which challenges are answered and requests are redirected to https. It is opened for sites with ACME where no site listens on it. Authorities always connect to port 80.
   *
   * @default {80}
   */
  http_port?: number;
  /** Program, with arguments, that sets TXT records, as wildcards need it: called with present or cleanup, the name and the value. With it, control of all names is proved by DNS-01, without it by HTTP-01. */
  dns_command?: string[];
  /**
   * Longest time for one call of dns_command.
   *
   * @default {"60s"}
   */
  dns_timeout?: string | number;
  /**
   * How long a TXT record is given to reach the name servers of the zone.
   *
   * @default {"10s"}
   */
  propagation_delay?: string | number;
  /** Certificates for names that no site lists, for sites with on_demand. */
  on_demand?: OnDemandInput;
}

/** `[store]`. A Redis in place of the folder acme.storage, so that several machines share certificates. */
export interface StoreInput {
  /** URL of the Redis, with user, password and number of the database if it has them: redis://user:password@host:6379/0; rediss:// for TLS. */
  url: string;
  /** User to log in as, in place of one in the URL. */
  username?: string;
  /** Password to log in with, in place of one in the URL. */
  password?: string;
  /** PEM file of CA certificates to trust for rediss://, in addition to the system's. */
  ca_file?: string;
  /**
   * Text that all keys begin with: those of one prefix share certificates.
   *
   * @default {"bws:"}
   */
  prefix?: string;
  /**
   * Longest time for connecting, and for a reply.
   *
   * @default {"5s"}
   */
  timeout?: string | number;
}

/** `[[sites]]`. The sites, at least one. */
export interface SiteInput {
  /** Name in logs and metrics; without it, the first host name. */
  name?: string;
  /** Host name: exact, "*.example.com", an IP address, or "*" for any. */
  hostname?: string;
  /**
   * More host names; a site without any serves all hosts.
   *
   * @default {[]}
   */
  hostnames?: string[];
  /**
   * Port to listen on; sites may share it. 0 is any free one, for this site alone.
   *
   * @default {8080}
   */
  port?: number;
  /** IP address to listen on; without it, all interfaces of both families. */
  listen?: string;
  /**
   * Whether the site serves hosts that no site of the port names.
   *
   * @default {false}
   */
  default?: boolean;
  /**
   * Whether connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, from which the client's address is taken. With BWS's own listener; the same for all sites of a port.
   *
   * @default {false}
   */
  proxy_protocol?: boolean;
  /** Limits of the site's port for clients, in place of those of [server.limits], key by key. They hold for all sites of the port: two of them must not set a key to two values. */
  limits?: SiteLimitsInput;
  /** TLS with clients. A word in place of the table: "acme" or "internal" says who issues the certificates, "auto" is an empty table, "off" is cleartext. Without it, a site with a host name on port 443 has "auto", any other cleartext. */
  tls?: "auto" | "acme" | "internal" | "off" | TlsInput;
  /** Folder whose files are served. */
  static_dir?: string;
  /**
   * Names of index files of a folder; the first that exists is served.
   *
   * @default {["index.html"]}
   */
  index_files?: string[];
  /**
   * Whether folders without an index file are listed.
   *
   * @default {false}
   */
  browse?: boolean;
  /**
   * What to look for, in order; "$path" stands for the path of the request, and "=404" may end the list.
   *
   * @default {[]}
   */
  try_files?: string[];
  /**
   * Whether files whose name begins with a dot are served.
   *
   * @default {false}
   */
  dotfiles?: boolean;
  /**
   * Whether links may lead out of static_dir.
   *
   * @default {false}
   */
  follow_symlinks?: boolean;
  /**
   * Whether .br, .zst and .gz files beside a file are served in its place.
   *
   * @default {true}
   */
  precompressed?: boolean;
  /** Content-Type of files, by extension (".wasm", ".tar.gz"), by name, or "*" for all whose type is not known. */
  media_types?: Record<string, string>;
  /**
   * Whether the files of static_dir are not served: routes and the site's own endpoints alone respond.
   *
   * @default {false}
   */
  api_only?: boolean;
  /**
   * Whether the site has the internal endpoints such as /api/health, or the prefix that replaces /api.
   *
   * @default {true}
   */
  internal_api?: string | boolean;
  /** Lines of the access log; false for none, a text for another output. */
  access_log?: string | false | true | SiteAccessLogInput;
  /** The id of a request in logs and header fields. */
  request_id?: RequestIdInput;
  /**
   * Redirects, before everything else of the site; the first that fits decides.
   *
   * @default {[]}
   */
  redirects?: RedirectsInput[];
  /**
   * Changes of path and query within the site, which the client does not see: before a route, or a file, is chosen, and after redirects; the first that fits decides.
   *
   * @default {[]}
   */
  rewrite?: RewriteInput[];
  /** Redirect requests in cleartext to https (308), except for /.well-known/acme-challenge/ and the site's own endpoints. Of a site with TLS: those to acme.http_port, which is opened for it where no site has the host there; true without it where the certificate comes by ACME. */
  redirect_to_https?: boolean;
  /**
   * Whether a GET or HEAD for a route without its last "/" is redirected to it, if no other route or file matches.
   *
   * @default {true}
   */
  redirect_slash?: boolean;
  /** Largest request body; overrides the server's. */
  max_body_size?: string | number;
  /** Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. */
  request_buffering?: false | true | RequestBufferingInput;
  /** Which pages of other origins may read responses. */
  cors?: CorsInput;
  /** Which addresses of clients are let in. */
  access?: AccessInput;
  /** Maintenance: every request gets 503, with the error page for it. true is a table without keys. */
  maintenance?: false | true | MaintenanceInput;
  /** How many requests are let through. */
  rate_limit?: RateLimitInput;
  /** Users and passwords by HTTP authentication. */
  basic_auth?: BasicAuthInput;
  /** Bearer tokens that are JWTs. */
  jwt?: JwtInput;
  /** A service that decides which requests pass. */
  forward_auth?: ForwardAuthInput;
  /**
   * Fixed responses; the first that fits decides.
   *
   * @default {[]}
   */
  respond?: RespondInput[];
  /** Compression of responses. */
  compression?: CompressionInput;
  /** Header fields that protect pages in browsers. true is a table without keys. */
  security_headers?: false | true | SecurityHeadersInput;
  /** Header fields of every response of the site; [sites.response_headers] has more keys. */
  headers?: Record<string, string>;
  /** Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. */
  response_headers?: ResponseHeadersInput;
  /** Strict-Transport-Security on responses over https: browsers then use https only. true is a table without keys. */
  hsts?: false | true | HstsInput;
  /** Files for error responses, by status or class ("5xx"). HTML, JSON and plain text may have placeholders, such as {request.id}. */
  error_pages?: Record<string, string>;
  /** Cache-Control of files, and of responses of upstreams where proxied says so. */
  cache?: CacheInput;
  /**
   * Header fields of some files of static_dir; all rules that fit apply, and of two values for one field the later one.
   *
   * @default {[]}
   */
  file_rules?: FileRulesInput[];
  /**
   * Statuses of error responses of upstreams, such as [404, "5xx"], that get the page of error_pages in their place, or BWS's own error response.
   *
   * @default {[]}
   */
  intercept_errors?: string | number | (string | number)[];
  /** What is proxied. */
  proxy?: ProxyInput;
}

/** `[server.limits]`. Limits of BWS's own listener for clients. */
export interface LimitsInput {
  /**
   * Longest time from the first byte of a request's head to its last, however slowly it arrives, and from the opening of a connection to its first byte; 408. 0 is no limit.
   *
   * @default {"10s"}
   */
  header_timeout?: string | number;
  /**
   * Longest silence of a client while its body is awaited; 408. 0 is no limit.
   *
   * @default {"60s"}
   */
  body_timeout?: string | number;
  /**
   * Lowest average rate of a request's body in bytes a second, after 20 s in which the client was waited for, or after body_timeout if that is shorter; 408. Also of a response, over write_timeout. 0 is none.
   *
   * @default {500}
   */
  min_rate?: number;
  /**
   * Longest time between two requests of a connection; 0 is no limit.
   *
   * @default {"75s"}
   */
  idle_timeout?: string | number;
  /**
   * Longest time in which a client takes no byte of a response, and time over which min_rate applies to it; 0 is no limit.
   *
   * @default {"60s"}
   */
  write_timeout?: string | number;
  /**
   * Largest head of a request with its first line; 431, or 414 where the first line takes more than half of it.
   *
   * @default {"32KiB"}
   */
  max_header_size?: string | number;
  /**
   * Most header lines of a request; 431.
   *
   * @default {128}
   */
  max_header_lines?: number;
  /**
   * Most open connections of a listener in each worker; the longest idle one is closed for a new one. 0 is no limit.
   *
   * @default {0}
   */
  max_connections?: number;
  /**
   * Most open connections from one address to a listener in each worker, except for trusted proxies; 0 is no limit.
   *
   * @default {0}
   */
  max_connections_per_address?: number;
  /**
   * Most requests of one connection; 0 is no limit.
   *
   * @default {0}
   */
  max_requests?: number;
  /**
   * Most requests of a connection of HTTP/2 that are under way at once.
   *
   * @default {100}
   */
  max_concurrent_streams?: number;
  /**
   * Longest time of a TLS handshake, from the opening of its connection; 0 is no limit.
   *
   * @default {"10s"}
   */
  handshake_timeout?: string | number;
  /**
   * Most TLS handshakes of a listener that are under way in each worker; the oldest one is ended for a new one. 0 is no limit.
   *
   * @default {1000}
   */
  max_handshakes?: number;
  /**
   * Most new TLS connections from one address in a second to a listener in each worker, except for trusted proxies; further ones are closed. 0 is no limit.
   *
   * @default {0}
   */
  max_handshake_rate?: number;
}

/** `[logging.access_log]`. Lines of the access log; false for none, a text for another output. */
export interface AccessLogInput {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: string | number | (string | number)[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: string | number;
}

/** `[logging.rotate]`. Rotation of all log files by BWS: a file is renamed, with the time behind its name. */
export interface RotateInput {
  /** Size from which a file is rotated. */
  size?: string | number;
  /** Length of a period, such as 1h or 1d, in UTC: the first line of a new one begins a new file. */
  every?: string | number;
  /**
   * How many old files are kept; 0 for all.
   *
   * @default {10}
   */
  keep?: number;
  /** Age from which old files are deleted. */
  keep_for?: string | number;
  /**
   * Whether old files are compressed with gzip.
   *
   * @default {true}
   */
  compress?: boolean;
}

/** `[logging.syslog]`. What messages to a syslog server have. */
export interface SyslogInput {
  /**
   * Facility of messages.
   *
   * @default {"local7"}
   */
  facility?:
    | "kern"
    | "user"
    | "mail"
    | "daemon"
    | "auth"
    | "syslog"
    | "lpr"
    | "news"
    | "uucp"
    | "cron"
    | "authpriv"
    | "ftp"
    | "ntp"
    | "audit"
    | "alert"
    | "clock"
    | "local0"
    | "local1"
    | "local2"
    | "local3"
    | "local4"
    | "local5"
    | "local6"
    | "local7";
  /**
   * APP-NAME of messages.
   *
   * @default {"bws"}
   */
  app_name?: string;
  /** HOSTNAME of messages; without it, the system's. */
  hostname?: string;
}

/** `[[acme.directories]]`. Authorities, in the order in which they are tried; without any, Let's Encrypt. */
export interface DirectoryInput {
  /** URL of the directory, or "letsencrypt", "letsencrypt-staging" or "zerossl". */
  url: string;
  /** External account binding, which some authorities require. */
  eab?: EabInput;
  /** PEM file of CA certificates to trust for the directory, in addition to the system's. */
  ca_file?: string;
  /** Common name of an issuer: of several chains that the authority offers, the first in which it stands is used. */
  preferred_chain?: string;
}

/** `[acme.on_demand]`. Certificates for names that no site lists, for sites with on_demand. */
export interface OnDemandInput {
  /** URL that is asked with the query domain=NAME before a certificate is requested: 2xx allows it, anything else does not. */
  ask: string;
  /**
   * Most certificates requested a minute.
   *
   * @default {10}
   */
  max_per_minute?: number;
  /**
   * Most names that have a certificate on demand at a time.
   *
   * @default {10000}
   */
  max_names?: number;
}

/** `[sites.limits]`. Limits of the site's port for clients, in place of those of [server.limits], key by key. They hold for all sites of the port: two of them must not set a key to two values. */
export interface SiteLimitsInput {
  /** Longest time from the first byte of a request's head to its last, however slowly it arrives, and from the opening of a connection to its first byte; 408. 0 is no limit. */
  header_timeout?: string | number;
  /** Longest silence of a client while its body is awaited; 408. 0 is no limit. */
  body_timeout?: string | number;
  /** Lowest average rate of a request's body in bytes a second, after 20 s in which the client was waited for, or after body_timeout if that is shorter; 408. Also of a response, over write_timeout. 0 is none. */
  min_rate?: number;
  /** Longest time between two requests of a connection; 0 is no limit. */
  idle_timeout?: string | number;
  /** Longest time in which a client takes no byte of a response, and time over which min_rate applies to it; 0 is no limit. */
  write_timeout?: string | number;
  /** Largest head of a request with its first line; 431, or 414 where the first line takes more than half of it. */
  max_header_size?: string | number;
  /** Most header lines of a request; 431. */
  max_header_lines?: number;
  /** Most open connections of a listener in each worker; the longest idle one is closed for a new one. 0 is no limit. */
  max_connections?: number;
  /** Most open connections from one address to a listener in each worker, except for trusted proxies; 0 is no limit. */
  max_connections_per_address?: number;
  /** Most requests of one connection; 0 is no limit. */
  max_requests?: number;
  /** Most requests of a connection of HTTP/2 that are under way at once. */
  max_concurrent_streams?: number;
  /** Longest time of a TLS handshake, from the opening of its connection; 0 is no limit. */
  handshake_timeout?: string | number;
  /** Most TLS handshakes of a listener that are under way in each worker; the oldest one is ended for a new one. 0 is no limit. */
  max_handshakes?: number;
  /** Most new TLS connections from one address in a second to a listener in each worker, except for trusted proxies; further ones are closed. 0 is no limit. */
  max_handshake_rate?: number;
}

/** `[sites.tls]`. TLS with clients. A word in place of the table: "acme" or "internal" says who issues the certificates, "auto" is an empty table, "off" is cleartext. Without it, a site with a host name on port 443 has "auto", any other cleartext. */
export interface TlsInput {
  /** PEM file of the certificate, with its intermediate certificates behind it; read again when it changes. */
  cert_file?: string;
  /** PEM file of its private key. */
  key_file?: string;
  /**
   * More certificates: the one whose name fits is used, exact names before wildcards.
   *
   * @default {[]}
   */
  certificates?: CertificateInput[];
  /** Who issues the certificates of a site that names no files: authorities by ACME, or the local authority. Without it, ACME for public names, and the local authority for localhost, IP addresses and names of internal networks. */
  issuer?: "acme" | "internal";
  /**
   * Names to get certificates for, in addition to the host names of the site.
   *
   * @default {[]}
   */
  names?: string[];
  /**
   * Get a certificate when a client first asks for a name, if acme.on_demand.ask allows it.
   *
   * @default {false}
   */
  on_demand?: boolean;
  /**
   * Lowest version of TLS.
   *
   * @default {"TLSv1.2"}
   */
  min_version?: "TLSv1.2" | "TLSv1.3";
  /**
   * Protocols to offer, the preferred one first.
   *
   * @default {["h2","http/1.1"]}
   */
  alpn?: ("http/1.1" | "h2")[];
  /**
   * Refuse handshakes for names that no site of the port has, instead of sending the certificate of the default site. Enough in one site of a port.
   *
   * @default {false}
   */
  strict_sni?: boolean;
  /** Certificates of clients. */
  client_auth?: ClientAuthInput;
}

/** `[sites.access_log]`. Lines of the access log; false for none, a text for another output. */
export interface SiteAccessLogInput {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: string | number | (string | number)[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: string | number;
}

/** `[sites.request_id]`. The id of a request in logs and header fields. */
export interface RequestIdInput {
  /**
   * Name of the field that carries the id of a request: from trusted_proxies, to upstreams and to clients.
   *
   * @default {"X-Request-Id"}
   */
  header?: string;
  /**
   * Keep the id that an upstream puts on its response, instead of the request's.
   *
   * @default {true}
   */
  trust?: boolean;
}

/** `[sites.redirects]`. Redirects, before everything else of the site; the first that fits decides. */
export interface RedirectsInput {
  /** Which requests: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular expression with (?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*". */
  from: string;
  /** Where to: a path or a URL with placeholders: {path}, {query}, {host}, {scheme}, {*} for the rest behind a star, and named parts. The query is kept unless this has one. */
  to: string;
  /**
   * 301, 302, 303, 307 or 308.
   *
   * @default {308}
   */
  status?: number;
}

/** `[sites.rewrite]`. Changes of path and query within the site, which the client does not see: before a route, or a file, is chosen, and after redirects; the first that fits decides. */
export interface RewriteInput {
  /** Which requests, as in redirects: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular expression with (?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*". */
  from: string;
  /** What they become: a path with placeholders: {*} for the rest behind a star, named parts, {path}, {query}, {host} and others. The query is kept; one in "to" takes its place ("&{query}" in it adds the request's, and "?" alone drops it). */
  to: string;
}

/** `[sites.request_buffering]`. Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. */
export interface RequestBufferingInput {
  /**
   * Whether bodies are read whole before an upstream is asked.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Largest body that is kept in memory; a larger one is kept in a file.
   *
   * @default {"64KiB"}
   */
  max_memory?: string | number;
  /**
   * Largest body that is taken; a larger one is refused with 413.
   *
   * @default {"1GiB"}
   */
  max_size?: string | number;
  /**
   * Most bytes in files, of all bodies of a worker together; a body beyond them is refused with 507.
   *
   * @default {"4GiB"}
   */
  max_total?: string | number;
  /** Folder of the files, which have no name while they are used; without it, the system's for temporary files. */
  folder?: string;
}

/** `[sites.cors]`. Which pages of other origins may read responses. */
export interface CorsInput {
  /** Origins whose pages may read responses: "https://app.example.com", "https://*.example.com" for all hosts below one, "*" for every origin, or "~" and a regular expression that the whole origin matches. */
  origins: string[];
  /**
   * Methods that such pages may use.
   *
   * @default {["GET","HEAD","POST"]}
   */
  methods?: string[];
  /**
   * Header fields that such pages may send, besides the simple ones; "*" for all that are asked for.
   *
   * @default {[]}
   */
  headers?: string[] | "*";
  /**
   * Header fields of responses that such pages may read, besides the simple ones.
   *
   * @default {[]}
   */
  exposed_headers?: string[];
  /**
   * Whether cookies and other credentials are sent along. Not with "*": every page of the web could act as its visitor.
   *
   * @default {false}
   */
  credentials?: boolean;
  /**
   * How long browsers may keep the response to a preflight; 0 for not at all.
   *
   * @default {"10m"}
   */
  max_age?: string | number;
  /**
   * Whether public pages may ask a server of a private network (Access-Control-Allow-Private-Network).
   *
   * @default {false}
   */
  private_network?: boolean;
}

/** `[sites.access]`. Which addresses of clients are let in. */
export interface AccessInput {
  /**
   * Rules in their order, such as "deny 10.0.0.13", "allow 10.0.0.0/8", "deny all": the first one that fits decides. They are looked at before the lists below.
   *
   * @default {[]}
   */
  rules?: string[];
  /**
   * Addresses and networks that are refused.
   *
   * @default {[]}
   */
  deny?: string[];
  /**
   * Addresses and networks that are let in. With this key, or allow_file, all others are refused.
   *
   * @default {[]}
   */
  allow?: string[];
  /** A file with addresses and networks that are refused, one a line, # before a comment. Read again when it changes. */
  deny_file?: string;
  /** A file with addresses and networks that are let in. */
  allow_file?: string;
  /**
   * What those who are refused get: 403, or nothing: the connection is closed.
   *
   * @default {"forbid"}
   */
  action?: "forbid" | "drop";
}

/** `[sites.maintenance]`. Maintenance: every request gets 503, with the error page for it. true is a table without keys. */
export interface MaintenanceInput {
  /**
   * Whether the site is in maintenance.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Addresses and networks of clients that still pass.
   *
   * @default {[]}
   */
  allow?: string[];
  /**
   * Retry-After of the response; 0 for no field.
   *
   * @default {"5m"}
   */
  retry_after?: string | number;
}

/** `[sites.rate_limit]`. How many requests are let through. */
export interface RateLimitInput {
  /**
   * Whether the limit holds.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Requests that are let through in the long run, such as "5/s", "100/m" or "10/30s"; each one above gets 429. */
  rate?: string;
  /** Requests that may be under way at a time, with their responses and as WebSockets; each one above gets 429. */
  max_in_flight?: number;
  /** Requests that may come at once after a pause; default: those of one second, at least 1. */
  burst?: number;
  /**
   * What is counted by itself: "address" of the client (IPv6 by /64), "user" of basic_auth, jwt or forward_auth, "header:NAME", "cookie:NAME" (a request without it counts by address), or "route" for all clients together.
   *
   * @default {"address"}
   */
  key?: string;
  /**
   * Addresses and networks that are not limited.
   *
   * @default {[]}
   */
  exempt?: string[];
  /**
   * How many keys are remembered; of more, those are forgotten whose last request is longest ago. 8 bytes each, for all workers.
   *
   * @default {65536}
   */
  max_keys?: number;
  /**
   * Whether the limit is only logged.
   *
   * @default {false}
   */
  dry_run?: boolean;
}

/** `[sites.basic_auth]`. Users and passwords by HTTP authentication. */
export interface BasicAuthInput {
  /**
   * Whether passwords are asked for.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Users and the hashes of their passwords, as `bws hash-password` makes them. */
  users?: Record<string, string>;
  /** A file of users and hashes in the format of htpasswd. Read again when it changes. */
  users_file?: string;
  /**
   * What browsers show when they ask for the password.
   *
   * @default {"Restricted"}
   */
  realm?: string;
  /** Field in which upstreams get the user's name; one that a client sends is removed. */
  user_header?: string;
  /**
   * Whether upstreams get the Authorization field.
   *
   * @default {false}
   */
  forward_credentials?: boolean;
  /**
   * Passwords that one address may try in a minute; right ones are remembered, and do not count again.
   *
   * @default {20}
   */
  attempts_per_minute?: number;
}

/** `[sites.jwt]`. Bearer tokens that are JWTs. */
export interface JwtInput {
  /**
   * Whether tokens are asked for.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Where the issuer has its keys (JWKS). They are fetched at the start, again after jwks_refresh, and when a token names a key that is not known; while they cannot be fetched, the earlier ones hold. */
  jwks_url?: string;
  /**
   * How long fetched keys hold before they are fetched again.
   *
   * @default {"10m"}
   */
  jwks_refresh?: string | number;
  /**
   * Shortest time between two fetches, whatever keys tokens name and whether a fetch failed.
   *
   * @default {"10s"}
   */
  jwks_cooldown?: string | number;
  /** PEM file of certificates to trust in addition to the system's, for jwks_url with https://. */
  ca_file?: string;
  /** A file of public keys: PEM (also certificates), a JWK or a JWKS. */
  key_file?: string;
  /** The same as text in the config. */
  public_key?: string;
  /** A file with the shared secret of HS256, HS384 and HS512, at least 32 bytes; line breaks at its end do not count. */
  secret_file?: string;
  /** The same as text, best as ${NAME}. */
  secret?: string;
  /** Algorithms of signatures that are accepted; default: those that the keys are for. none is never. */
  algorithms?: string[];
  /**
   * Values of iss that are accepted; default: any.
   *
   * @default {[]}
   */
  issuer?: string[];
  /**
   * Values of which aud must have one; default: any.
   *
   * @default {[]}
   */
  audience?: string[];
  /**
   * How far the clocks of issuer and server may differ.
   *
   * @default {"5s"}
   */
  leeway?: string | number;
  /**
   * Whether tokens without exp are refused, which hold for ever.
   *
   * @default {true}
   */
  require_exp?: boolean;
  /** Claims of which a token must have one of the values; 403 otherwise. Of lists one member counts, of scope and scp one word; a name with dots leads into objects. */
  require?: Record<string, string[]>;
  /** Fields in which upstreams get claims; those that a client sends are removed, in any spelling. Lists are joined by commas. */
  claim_headers?: Record<string, string>;
  /**
   * Claim with the user's name, for the access log and limits by user.
   *
   * @default {"sub"}
   */
  user_claim?: string;
  /** A cookie that may have the token in place of Authorization. */
  cookie?: string;
  /** A parameter of the query that may have the token, as for WebSockets of browsers. Queries stand in logs. */
  query?: string;
  /**
   * Whether upstreams get the Authorization field.
   *
   * @default {true}
   */
  forward_token?: boolean;
  /**
   * realm in WWW-Authenticate.
   *
   * @default {"Restricted"}
   */
  realm?: string;
}

/** `[sites.forward_auth]`. A service that decides which requests pass. */
export interface ForwardAuthInput {
  /**
   * Whether the service is asked.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** What is asked with GET before each request: http://, https:// or unix:/path.sock:/path. A status of 2xx lets the request pass. */
  url?: string;
  /**
   * Fields of the service's response with 2xx that upstreams get; those that a client sends are removed, in any spelling.
   *
   * @default {[]}
   */
  copy_headers?: string[];
  /** Field of the response with the user's name, for the access log and for limits by user. */
  user_header?: string;
  /**
   * Whether clients get the cookies that the service sets with 2xx. Those of other responses they get in any case.
   *
   * @default {false}
   */
  forward_cookies?: boolean;
  /**
   * Longest time for a response of the service; after it the request gets 503.
   *
   * @default {"5s"}
   */
  timeout?: string | number;
  /**
   * Largest body of a response of the service; with a larger one the request gets 502.
   *
   * @default {"1MiB"}
   */
  max_response?: string | number;
  /**
   * Most questions to the service at a time, in each worker; further requests get 503.
   *
   * @default {256}
   */
  max_in_flight?: number;
  /**
   * How long a 2xx holds for further requests with the same Cookie and Authorization, from the same address; 0 is not at all.
   *
   * @default {0}
   */
  cache?: string | number;
  /**
   * Whether a 2xx that is kept holds for the same method, host and URI alone, or for all: only for services that look at none of these.
   *
   * @default {"uri"}
   */
  cache_by?: "credentials" | "uri";
  /** PEM file of certificates to trust in addition to the system's, for https://. */
  ca_file?: string;
}

/** `[sites.respond]`. Fixed responses; the first that fits decides. */
export interface RespondInput {
  /** Which requests: a path, "/gone/*" for all below one, or "~" and a regular expression. */
  path: string;
  /** Methods; all by default. */
  methods?: string[];
  /**
   * Status.
   *
   * @default {200}
   */
  status?: number;
  /** Text of the body, with placeholders such as {client.ip}; JSON stays as it is. */
  body?: string;
  /**
   * Content-Type of the body.
   *
   * @default {"text/plain; charset=utf-8"}
   */
  content_type?: string;
  /** Header fields of the response, with placeholders. */
  headers?: Record<string, string>;
}

/** `[sites.compression]`. Compression of responses. */
export interface CompressionInput {
  /**
   * Whether responses are compressed.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Content codings; where a client likes several alike, the first one is used.
   *
   * @default {["zstd","br","gzip"]}
   */
  algorithms?: ("zstd" | "br" | "gzip")[];
  /** 1 is quick, 9 is small; default: 5 for gzip, 4 for br, 3 for zstd. Each level above takes more processor time. */
  level?: number;
  /**
   * Smallest response that is compressed, where its size is known.
   *
   * @default {1024}
   */
  min_size?: string | number;
  /**
   * Media types that are compressed.
   *
   * @default {["text/*","*+json","*+xml","application/json","application/javascript","application/xml","application/wasm","application/x-javascript","application/manifest+json","application/x-ndjson","font/ttf","font/otf","application/vnd.ms-fontobject","image/svg+xml","image/bmp","image/x-icon"]}
   */
  types?: string[];
  /**
   * Prefixes of the paths whose responses are compressed; all where there are none.
   *
   * @default {[]}
   */
  paths?: string[];
  /**
   * Whether responses over https that set cookies are compressed. Not where a page repeats what a request says beside a secret: its size would tell the secret (BREACH).
   *
   * @default {false}
   */
  cookies?: boolean;
}

/** `[sites.security_headers]`. Header fields that protect pages in browsers. true is a table without keys. */
export interface SecurityHeadersInput {
  /**
   * X-Content-Type-Options: nosniff.
   *
   * @default {true}
   */
  content_type_options?: boolean;
  /**
   * X-Frame-Options: which pages may show this one in a frame; false for no field.
   *
   * @default {"SAMEORIGIN"}
   */
  frame_options?: false | "DENY" | "SAMEORIGIN";
  /**
   * Referrer-Policy; false for no field.
   *
   * @default {"strict-origin-when-cross-origin"}
   */
  referrer_policy?:
    | false
    | "origin"
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url";
  /**
   * Strict-Transport-Security of a year on responses over https; hsts of the site is the table with all keys.
   *
   * @default {true}
   */
  hsts?: boolean;
  /** Content-Security-Policy, as given. */
  content_security_policy?: string;
  /** Permissions-Policy, as given. */
  permissions_policy?: string;
  /** Cross-Origin-Opener-Policy, as given. */
  cross_origin_opener_policy?: string;
  /**
   * Whether Server and X-Powered-By of upstreams are removed.
   *
   * @default {true}
   */
  hide_server_header?: boolean;
}

/** `[sites.response_headers]`. Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. */
export interface ResponseHeadersInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
  /**
   * Changes to responses of some statuses, in their order, after the others.
   *
   * @default {[]}
   */
  when?: WhenInput[];
}

/** `[sites.hsts]`. Strict-Transport-Security on responses over https: browsers then use https only. true is a table without keys. */
export interface HstsInput {
  /**
   * How long browsers keep to it; 0 makes them forget it.
   *
   * @default {"365d"}
   */
  max_age?: string | number;
  /**
   * Whether it holds for all hosts below this one.
   *
   * @default {false}
   */
  include_subdomains?: boolean;
  /**
   * Whether browsers may have the host in their built-in list, from which it is hard to remove.
   *
   * @default {false}
   */
  preload?: boolean;
}

/** `[sites.cache]`. Cache-Control of files, and of responses of upstreams where proxied says so. */
export interface CacheInput {
  /** Value of Cache-Control for every file. */
  control?: string;
  /** How long caches may keep a file: "public, max-age=N". */
  max_age?: string | number;
  /** What becomes of responses of upstreams to GET and HEAD: "keep" leaves them alone, "missing" gives those a Cache-Control that have none (but none that sets a cookie, or is for a user), "replace" gives it to all. By default "keep" on a site, and "missing" on a route. */
  proxied?: "keep" | "replace" | "missing";
  /**
   * Values for some files; the first rule that fits wins, with path and extensions where it has both.
   *
   * @default {[]}
   */
  rules?: RuleInput[];
}

/** `[sites.file_rules]`. Header fields of some files of static_dir; all rules that fit apply, and of two values for one field the later one. */
export interface FileRulesInput {
  /** Which files: names such as "*.pdf", compared without case, or paths below static_dir such as "/fonts/*". */
  match: string[];
  /** Header fields of these files. */
  headers?: Record<string, string>;
  /**
   * Whether browsers save these files under their name and do not show them (Content-Disposition: attachment).
   *
   * @default {false}
   */
  download?: boolean;
}

/** `[sites.proxy]`. What is proxied. */
export interface ProxyInput {
  /**
   * Whether the site proxies; its tables are checked in any case.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Send the client's Host upstream, instead of the host of the URL.
   *
   * @default {true}
   */
  preserve_host?: boolean;
  /** Map Location, Content-Location, Refresh, and Path and Domain of cookies back where they name the upstream; without it, where the upstream sees another Host or path than the client. */
  rewrite_redirects?: boolean;
  /**
   * The servers to proxy to.
   *
   * @default {[]}
   */
  upstreams?: UpstreamInput[];
  /**
   * Which requests go to which pool.
   *
   * @default {[]}
   */
  routes?: RouteInput[];
  /** How pools choose. */
  load_balancing?: LoadBalancingInput;
  /** How long upstreams may take. */
  timeout?: TimeoutInput;
  /** Changes to header fields. */
  headers?: HeadersInput;
  /** How connections to upstreams are kept and limited. */
  connections?: ConnectionsInput;
  /** Pings, timeouts and limits of WebSockets. */
  websocket?: WebsocketInput;
  /**
   * How upstreams are probed; on when present.
   *
   * @default {{"enabled":false}}
   */
  health_check?: HealthCheckInput;
  /** When upstreams that fail are ejected. */
  passive_health?: PassiveHealthInput;
  /**
   * A breaker per upstream; on when present.
   *
   * @default {{"enabled":false}}
   */
  circuit_breaker?: CircuitBreakerInput;
  /** How requests are retried. */
  retries?: RetriesInput;
}

/** `[acme.directories.eab]`. External account binding, which some authorities require. */
export interface EabInput {
  /** Key identifier that the authority has given. */
  key_id: string;
  /** Key that the authority has given. */
  hmac_key: string;
}

/** `[[sites.tls.certificates]]`. More certificates: the one whose name fits is used, exact names before wildcards. */
export interface CertificateInput {
  /** PEM file of the certificate, with its intermediate certificates behind it. */
  cert_file: string;
  /** PEM file of its private key. */
  key_file: string;
}

/** `[sites.tls.client_auth]`. Certificates of clients. */
export interface ClientAuthInput {
  /**
   * Refuse clients without a certificate that verifies, or only ask for one.
   *
   * @default {"require"}
   */
  mode?: "request" | "require";
  /** PEM file of the authorities that issue the certificates of clients. */
  ca_file: string;
  /**
   * Tell upstreams of the certificate in X-Client-Cert-Verify, -Subject, -Issuer, -Serial and -Fingerprint. What clients send in these fields is always removed.
   *
   * @default {false}
   */
  headers?: boolean;
}

/** `[sites.response_headers.when]`. Changes to responses of some statuses, in their order, after the others. */
export interface WhenInput {
  /** Statuses, such as 404, "5xx" or ["2xx", 304]. */
  status: string | number | (string | number)[];
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
}

/** `[[sites.cache.rules]]`. Values for some files; the first rule that fits wins, with path and extensions where it has both. */
export interface RuleInput {
  /** Prefix of the paths that the rule is for. */
  path?: string;
  /** Extensions of the files that the rule is for, with or without a dot. */
  extensions?: string[];
  /** Value of Cache-Control. */
  control: string;
}

/** `[[sites.proxy.upstreams]]`. The servers to proxy to. */
export interface UpstreamInput {
  /** Name of the pool; upstreams of the same name share its load. */
  name: string;
  /** Where the upstream listens: http://, https://, h2c:// (HTTP/2 in clear text), srv+http://name (SRV records) or unix:/path.sock; a base path is put before every path. */
  url: string;
  /** Version of HTTP: http/1.1, h2 (HTTP/2), or, for https:// only, auto (what the upstream prefers). Without it h2 for h2c:// and http/1.1 for other URLs. WebSockets use HTTP/1.1 where the upstream does not announce them for h2. */
  protocol?: "http/1.1" | "h2" | "auto";
  /**
   * Share of the load, relative to the pool's other upstreams.
   *
   * @default {1}
   */
  weight?: number;
  /**
   * Maximum number of exchanges in flight; 0 is the value of connections.max_connections.
   *
   * @default {0}
   */
  max_connections?: number;
  /**
   * Used only when no other upstream of the pool is available.
   *
   * @default {false}
   */
  backup?: boolean;
  /** Look the URL's name up periodically, and make every address an upstream; srv+http:// always does. */
  resolve?: boolean;
  /** Time between two look-ups; sets resolve. Without it, the TTL of the records. */
  resolve_interval?: string | number;
  /** Begin each connection with a header of the PROXY protocol of this version, which tells the client's address. Such connections are not shared between clients. Probes tell that they are BWS's own (UNKNOWN, LOCAL). */
  proxy_protocol?: "v1" | "v2";
  /** How to speak TLS with this upstream; for https:// only. */
  tls?: UpstreamTlsInput;
}

/** `[[sites.proxy.routes]]`. Which requests go to which pool. */
export interface RouteInput {
  /** Prefix of the paths to proxy, up to a "/" or the end; see exact and pattern. */
  path: string;
  /** Name of the pool that takes the requests. */
  upstream: string;
  /**
   * Remove the matched prefix from the path of the request to the upstream.
   *
   * @default {false}
   */
  strip_prefix?: boolean;
  /** Text that replaces the matched prefix, or the whole path of an exact or pattern route. */
  rewrite_target?: string;
  /**
   * Whether requests may upgrade to WebSocket.
   *
   * @default {false}
   */
  websocket?: boolean;
  /**
   * Match this path only, and nothing below it.
   *
   * @default {false}
   */
  exact?: boolean;
  /**
   * Read path as a URLPattern pathname, such as /users/:id.
   *
   * @default {false}
   */
  pattern?: boolean;
  /** Methods to match; without it, all. */
  methods?: string[];
  /** Overrides the proxy's preserve_host. */
  preserve_host?: boolean;
  /** Overrides the proxy's rewrite_redirects. */
  rewrite_redirects?: boolean;
  /** How long this route may take; what it does not set is the proxy's. */
  timeout?: RouteTimeoutInput;
  /** How requests of this route are retried; what it does not set is the proxy's. */
  retries?: RouteRetriesInput;
  /** Changes to header fields on this route; what it does not set is the proxy's, field by field. */
  headers?: RouteHeadersInput;
  /**
   * Whether clients and upstreams may be silent for long, as in long polls and streams: no failure of the upstream.
   *
   * @default {false}
   */
  streaming?: boolean;
  /** Files of static_dir to look for before a GET or HEAD goes upstream, in order; "$path" stands for the path of the request. After "=404" at the end no GET or HEAD goes upstream. Not inherited: the site's are for requests that no route takes. */
  try_files?: string[];
  /** Lines of the access log; false for none, a text for another output. Takes the place of the site's. */
  access_log?: string | false | true | RouteAccessLogInput;
  /** Whether a GET or HEAD for a route without its last "/" is redirected to it, if no other route or file matches. Takes the place of the site's. */
  redirect_slash?: boolean;
  /** Largest request body; overrides the server's. Takes the place of the site's. */
  max_body_size?: string | number;
  /** Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. Takes the place of the site's. */
  request_buffering?: false | true | RouteRequestBufferingInput;
  /** Which pages of other origins may read responses. Takes the place of the site's. */
  cors?: RouteCorsInput;
  /** Which addresses of clients are let in. Takes the place of the site's. */
  access?: RouteAccessInput;
  /** Maintenance: every request gets 503, with the error page for it. true is a table without keys. Takes the place of the site's. */
  maintenance?: false | true | RouteMaintenanceInput;
  /** How many requests are let through. Takes the place of the site's. */
  rate_limit?: RouteRateLimitInput;
  /** Users and passwords by HTTP authentication. Takes the place of the site's. */
  basic_auth?: RouteBasicAuthInput;
  /** Bearer tokens that are JWTs. Takes the place of the site's. */
  jwt?: RouteJwtInput;
  /** A service that decides which requests pass. Takes the place of the site's. */
  forward_auth?: RouteForwardAuthInput;
  /** Compression of responses. Takes the place of the site's. */
  compression?: RouteCompressionInput;
  /** Header fields that protect pages in browsers. true is a table without keys. Takes the place of the site's. */
  security_headers?: false | true | RouteSecurityHeadersInput;
  /** Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. Takes the place of the site's. */
  response_headers?: RouteResponseHeadersInput;
  /** Files for error responses, by status or class ("5xx"). HTML, JSON and plain text may have placeholders, such as {request.id}. Takes the place of the site's. */
  error_pages?: Record<string, string>;
  /** Cache-Control of files, and of responses of upstreams where proxied says so. Takes the place of the site's. */
  cache?: RouteCacheInput;
  /** Statuses of error responses of upstreams, such as [404, "5xx"], that get the page of error_pages in their place, or BWS's own error response. Takes the place of the site's. */
  intercept_errors?: string | number | (string | number)[];
}

/** `[sites.proxy.load_balancing]`. How pools choose. */
export interface LoadBalancingInput {
  /**
   * How a pool chooses the upstream of the next attempt.
   *
   * @default {"round_robin"}
   */
  method?: string;
  /** For header_hash: the header whose value is the key. */
  header?: string;
  /** For uri_hash: whether the query belongs to the key, beside the path. */
  include_query?: boolean;
  /** For the hash policies: how many times the mean load an upstream may carry before keys overflow; 0 for no bound. */
  balance_factor?: number;
  /**
   * How long an upstream that is available again takes to reach its full share of the load; 0 for no slow start.
   *
   * @default {0}
   */
  slow_start?: string | number;
  /**
   * When no upstream of a pool is healthy: respond with 503, or use unhealthy ones.
   *
   * @default {"reject"}
   */
  when_all_unhealthy?: "reject" | "try_anyway";
  /** For cookie: the cookie that binds a client to its upstream. */
  cookie?: CookieInput;
}

/** `[sites.proxy.timeout]`. How long upstreams may take. */
export interface TimeoutInput {
  /**
   * Longest time to open a connection to an upstream; 0 is no limit.
   *
   * @default {"5s"}
   */
  connect?: string | number;
  /**
   * Longest time until the head of a response, and longest silence in its body; 0 is no limit.
   *
   * @default {"60s"}
   */
  read?: string | number;
  /**
   * Longest silence while a request is sent; 0 is no limit.
   *
   * @default {"30s"}
   */
  write?: string | number;
  /**
   * Longest time in which a client neither sends its body nor reads the response; 0 is no limit.
   *
   * @default {"60s"}
   */
  client?: string | number;
  /**
   * Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none.
   *
   * @default {500}
   */
  min_upload_rate?: number;
}

/** `[sites.proxy.headers]`. Changes to header fields. */
export interface HeadersInput {
  /**
   * Send X-Forwarded-For, -Proto and -Host upstream.
   *
   * @default {true}
   */
  add_x_forwarded?: boolean;
  /**
   * Send the Forwarded header field of RFC 7239 upstream.
   *
   * @default {false}
   */
  add_forwarded?: boolean;
  /** Fields that are added in both directions. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed in both directions.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
  /** Changes to requests to upstreams. */
  request?: RequestInput;
  /** Changes to responses of upstreams. */
  response?: ResponseInput;
}

/** `[sites.proxy.connections]`. How connections to upstreams are kept and limited. */
export interface ConnectionsInput {
  /**
   * Maximum number of idle connections that are kept for an upstream.
   *
   * @default {256}
   */
  max_idle?: number;
  /**
   * How long an idle connection is kept.
   *
   * @default {"4s"}
   */
  idle_timeout?: string | number;
  /**
   * Maximum number of exchanges on one HTTP/2 connection, if the upstream does not allow fewer; further exchanges get another connection.
   *
   * @default {100}
   */
  max_streams?: number;
  /**
   * Silence of an HTTP/2 connection with exchanges after which a PING is sent; without a reply within 10 s it is closed. 0 sends none.
   *
   * @default {"5m"}
   */
  ping_interval?: string | number;
  /**
   * Maximum number of exchanges in flight at an upstream; 0 is no limit.
   *
   * @default {0}
   */
  max_connections?: number;
  /**
   * Maximum number of queued requests while all upstreams are full.
   *
   * @default {1024}
   */
  queue_size?: number;
  /**
   * Maximum time of a request in the queue.
   *
   * @default {"5s"}
   */
  queue_timeout?: string | number;
}

/** `[sites.proxy.websocket]`. Pings, timeouts and limits of WebSockets. */
export interface WebsocketInput {
  /**
   * Silence of a side after which it is pinged; 0 for no pings.
   *
   * @default {"30s"}
   */
  ping_interval?: string | number;
  /** Longest time in which a side sends nothing, or reads nothing; 0 is no limit; without it, twice ping_interval. */
  idle_timeout?: string | number;
  /**
   * Bytes that may be queued for one side before the other is slowed down. With BWS's own listener at most 256 KiB, and the less the more all WebSockets of a worker have queued (64 MiB).
   *
   * @default {"4MiB"}
   */
  max_buffered?: string | number;
  /**
   * Largest message; a larger one closes the WebSocket.
   *
   * @default {"64MiB"}
   */
  max_message?: string | number;
  /**
   * How long WebSockets stay open when the server stops.
   *
   * @default {"5s"}
   */
  drain?: string | number;
}

/** `[sites.proxy.health_check]`. How upstreams are probed; on when present. */
export interface HealthCheckInput {
  /**
   * Whether upstreams are probed.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Send a request, only open a connection, or ask by the gRPC health protocol, for which HTTP/2 is spoken.
   *
   * @default {"http"}
   */
  kind?: "http" | "tcp" | "grpc";
  /** Service to ask for with kind = "grpc"; the server as a whole without it. */
  service?: string;
  /**
   * Path to request.
   *
   * @default {"/"}
   */
  path?: string;
  /**
   * Method of the request.
   *
   * @default {"GET"}
   */
  method?: string;
  /** Header fields of the request. */
  headers?: Record<string, string>;
  /** Statuses of a healthy upstream, such as 200, "2xx" or ["200-299", 404]; 200 to 399 without it. */
  expect_status?: string | number | (string | number)[];
  /** Regular expression, without back references and looking ahead or behind, that the first 16 KiB of a healthy response's body match; plain text is found as it is, in the first 64 KiB. */
  expect_body?: string;
  /** Port to probe, where it is not the URL's. */
  port?: number;
  /** Time between two probes of an upstream; 10s without it. */
  interval?: string | number;
  /** The same as interval. */
  interval_seconds?: string | number;
  /**
   * Longest time for one probe.
   *
   * @default {"2s"}
   */
  timeout?: string | number;
  /**
   * Good probes in a row after which an upstream is healthy.
   *
   * @default {2}
   */
  healthy_after?: number;
  /**
   * State of an upstream before its first probe.
   *
   * @default {"healthy"}
   */
  initial?: "healthy" | "unhealthy";
  /**
   * Bad probes in a row after which an upstream is not healthy.
   *
   * @default {3}
   */
  unhealthy_after?: number;
}

/** `[sites.proxy.passive_health]`. When upstreams that fail are ejected. */
export interface PassiveHealthInput {
  /**
   * Whether failures in live traffic eject an upstream for a while.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Failures in a row that eject.
   *
   * @default {5}
   */
  max_fails?: number;
  /**
   * Failures further apart than this are not in a row.
   *
   * @default {"30s"}
   */
  fail_window?: string | number;
  /**
   * How long the first ejection lasts; each next one twice as long.
   *
   * @default {"10s"}
   */
  eject_for?: string | number;
  /**
   * Longest ejection.
   *
   * @default {"5m"}
   */
  max_eject_for?: string | number;
  /**
   * Share of a pool that may be ejected for its responses; an upstream that cannot be reached is always ejected.
   *
   * @default {50}
   */
  max_ejected_percent?: number;
  /** A response whose head takes longer is a failure. */
  slow_after?: string | number;
  /**
   * Statuses that are failures, such as [502, 503, 504]; "5xx" is without 501, 505, 508 and 510, which a request causes.
   *
   * @default {"5xx"}
   */
  fail_status?: string | number | (string | number)[];
}

/** `[sites.proxy.circuit_breaker]`. A breaker per upstream; on when present. */
export interface CircuitBreakerInput {
  /**
   * Whether upstreams have a breaker.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Share of failed requests that opens it.
   *
   * @default {0.5}
   */
  failure_ratio?: number;
  /**
   * Requests that the window must hold before it may open.
   *
   * @default {20}
   */
  min_requests?: number;
  /**
   * Length of the window in which requests are counted.
   *
   * @default {"10s"}
   */
  window?: string | number;
  /**
   * How long it stays open before it lets trial requests through.
   *
   * @default {"10s"}
   */
  open_for?: string | number;
  /**
   * Trial requests at a time while half open; as many good ones close it.
   *
   * @default {3}
   */
  trial_requests?: number;
  /** A response whose head takes longer is slow. */
  slow_after?: string | number;
  /**
   * Share of slow requests that opens it.
   *
   * @default {0.5}
   */
  slow_ratio?: number;
  /**
   * Maximum number of exchanges in flight at an upstream, like connections.max_connections; the smaller one applies. 0 is no limit.
   *
   * @default {0}
   */
  max_in_flight?: number;
}

/** `[sites.proxy.retries]`. How requests are retried. */
export interface RetriesInput {
  /**
   * Maximum number of times that a request is sent. Upstreams that cannot be reached do not count: nothing was sent to them.
   *
   * @default {3}
   */
  attempts?: number;
  /**
   * How long a request is retried while no upstream can be reached; 0 to try each upstream once.
   *
   * @default {0}
   */
  try_for?: string | number;
  /**
   * Pause before a request goes to an upstream again, twice as long each time.
   *
   * @default {"25ms"}
   */
  backoff?: string | number;
  /**
   * Longest pause.
   *
   * @default {"1s"}
   */
  max_backoff?: string | number;
  /**
   * Statuses after which a request with an idempotent method is retried, such as [502, 503, 504, 429].
   *
   * @default {[]}
   */
  retry_on?: string | number | (string | number)[];
  /**
   * Request bodies up to this size are kept, to be sent again.
   *
   * @default {"64KiB"}
   */
  retry_buffer?: string | number;
  /**
   * Send X-BWS-Attempts to the client.
   *
   * @default {false}
   */
  show_attempts?: boolean;
  /**
   * Retries for each request of the pool, as a share.
   *
   * @default {0.2}
   */
  budget?: number;
  /**
   * Retries a second that are allowed whatever the traffic.
   *
   * @default {10}
   */
  min_per_second?: number;
}

/** `[sites.proxy.upstreams.tls]`. How to speak TLS with this upstream; for https:// only. */
export interface UpstreamTlsInput {
  /** PEM file of certificates to trust in addition to the system's: authorities, or the upstream's own one. Beside cert_file they are the only ones. */
  ca_file?: string;
  /** PEM file of a certificate that is shown to the upstream, with its intermediate certificates behind it. */
  cert_file?: string;
  /** PEM file of the private key of cert_file. */
  key_file?: string;
  /** SHA-256 fingerprint of the upstream's certificate: this one alone is accepted, whoever issued it and whatever its names. */
  fingerprint?: string;
  /**
   * Accept any certificate: a man in the middle can then read and change all traffic.
   *
   * @default {false}
   */
  insecure_skip_verify?: boolean;
  /** Name for SNI and for the check of the certificate, where it is not the URL's host. */
  server_name?: string;
}

/** `[sites.proxy.routes.timeout]`. How long this route may take; what it does not set is the proxy's. */
export interface RouteTimeoutInput {
  /** Longest time to open a connection to an upstream; 0 is no limit. */
  connect?: string | number;
  /** Longest time until the head of a response, and longest silence in its body; 0 is no limit. */
  read?: string | number;
  /** Longest silence while a request is sent; 0 is no limit. */
  write?: string | number;
  /** Longest time in which a client neither sends its body nor reads the response; 0 is no limit. */
  client?: string | number;
  /** Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none. */
  min_upload_rate?: number;
}

/** `[sites.proxy.routes.retries]`. How requests of this route are retried; what it does not set is the proxy's. */
export interface RouteRetriesInput {
  /** Maximum number of times that a request is sent. Upstreams that cannot be reached do not count: nothing was sent to them. */
  attempts?: number;
  /** How long a request is retried while no upstream can be reached; 0 to try each upstream once. */
  try_for?: string | number;
  /** Pause before a request goes to an upstream again, twice as long each time. */
  backoff?: string | number;
  /** Longest pause. */
  max_backoff?: string | number;
  /** Statuses after which a request with an idempotent method is retried, such as [502, 503, 504, 429]. */
  retry_on?: string | number | (string | number)[];
  /** Request bodies up to this size are kept, to be sent again. */
  retry_buffer?: string | number;
  /** Send X-BWS-Attempts to the client. */
  show_attempts?: boolean;
}

/** `[sites.proxy.routes.headers]`. Changes to header fields on this route; what it does not set is the proxy's, field by field. */
export interface RouteHeadersInput {
  /** Send X-Forwarded-For, -Proto and -Host upstream. */
  add_x_forwarded?: boolean;
  /** Send the Forwarded header field of RFC 7239 upstream. */
  add_forwarded?: boolean;
  /** Fields that are added in both directions. */
  add?: Record<string, string>;
  /** Names of fields that are removed in both directions. */
  remove?: string[] | Record<string, boolean>;
  /** Changes to requests to upstreams. */
  request?: RouteHeadersRequestInput;
  /** Changes to responses of upstreams. */
  response?: RouteHeadersResponseInput;
}

/** `[sites.proxy.routes.access_log]`. Lines of the access log; false for none, a text for another output. Takes the place of the site's. */
export interface RouteAccessLogInput {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: string | number | (string | number)[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: string | number;
}

/** `[sites.proxy.routes.request_buffering]`. Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. Takes the place of the site's. */
export interface RouteRequestBufferingInput {
  /**
   * Whether bodies are read whole before an upstream is asked.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Largest body that is kept in memory; a larger one is kept in a file.
   *
   * @default {"64KiB"}
   */
  max_memory?: string | number;
  /**
   * Largest body that is taken; a larger one is refused with 413.
   *
   * @default {"1GiB"}
   */
  max_size?: string | number;
  /**
   * Most bytes in files, of all bodies of a worker together; a body beyond them is refused with 507.
   *
   * @default {"4GiB"}
   */
  max_total?: string | number;
  /** Folder of the files, which have no name while they are used; without it, the system's for temporary files. */
  folder?: string;
}

/** `[sites.proxy.routes.cors]`. Which pages of other origins may read responses. Takes the place of the site's. */
export interface RouteCorsInput {
  /** Origins whose pages may read responses: "https://app.example.com", "https://*.example.com" for all hosts below one, "*" for every origin, or "~" and a regular expression that the whole origin matches. */
  origins: string[];
  /**
   * Methods that such pages may use.
   *
   * @default {["GET","HEAD","POST"]}
   */
  methods?: string[];
  /**
   * Header fields that such pages may send, besides the simple ones; "*" for all that are asked for.
   *
   * @default {[]}
   */
  headers?: string[] | "*";
  /**
   * Header fields of responses that such pages may read, besides the simple ones.
   *
   * @default {[]}
   */
  exposed_headers?: string[];
  /**
   * Whether cookies and other credentials are sent along. Not with "*": every page of the web could act as its visitor.
   *
   * @default {false}
   */
  credentials?: boolean;
  /**
   * How long browsers may keep the response to a preflight; 0 for not at all.
   *
   * @default {"10m"}
   */
  max_age?: string | number;
  /**
   * Whether public pages may ask a server of a private network (Access-Control-Allow-Private-Network).
   *
   * @default {false}
   */
  private_network?: boolean;
}

/** `[sites.proxy.routes.access]`. Which addresses of clients are let in. Takes the place of the site's. */
export interface RouteAccessInput {
  /**
   * Rules in their order, such as "deny 10.0.0.13", "allow 10.0.0.0/8", "deny all": the first one that fits decides. They are looked at before the lists below.
   *
   * @default {[]}
   */
  rules?: string[];
  /**
   * Addresses and networks that are refused.
   *
   * @default {[]}
   */
  deny?: string[];
  /**
   * Addresses and networks that are let in. With this key, or allow_file, all others are refused.
   *
   * @default {[]}
   */
  allow?: string[];
  /** A file with addresses and networks that are refused, one a line, # before a comment. Read again when it changes. */
  deny_file?: string;
  /** A file with addresses and networks that are let in. */
  allow_file?: string;
  /**
   * What those who are refused get: 403, or nothing: the connection is closed.
   *
   * @default {"forbid"}
   */
  action?: "forbid" | "drop";
}

/** `[sites.proxy.routes.maintenance]`. Maintenance: every request gets 503, with the error page for it. true is a table without keys. Takes the place of the site's. */
export interface RouteMaintenanceInput {
  /**
   * Whether the site is in maintenance.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Addresses and networks of clients that still pass.
   *
   * @default {[]}
   */
  allow?: string[];
  /**
   * Retry-After of the response; 0 for no field.
   *
   * @default {"5m"}
   */
  retry_after?: string | number;
}

/** `[sites.proxy.routes.rate_limit]`. How many requests are let through. Takes the place of the site's. */
export interface RouteRateLimitInput {
  /**
   * Whether the limit holds.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Requests that are let through in the long run, such as "5/s", "100/m" or "10/30s"; each one above gets 429. */
  rate?: string;
  /** Requests that may be under way at a time, with their responses and as WebSockets; each one above gets 429. */
  max_in_flight?: number;
  /** Requests that may come at once after a pause; default: those of one second, at least 1. */
  burst?: number;
  /**
   * What is counted by itself: "address" of the client (IPv6 by /64), "user" of basic_auth, jwt or forward_auth, "header:NAME", "cookie:NAME" (a request without it counts by address), or "route" for all clients together.
   *
   * @default {"address"}
   */
  key?: string;
  /**
   * Addresses and networks that are not limited.
   *
   * @default {[]}
   */
  exempt?: string[];
  /**
   * How many keys are remembered; of more, those are forgotten whose last request is longest ago. 8 bytes each, for all workers.
   *
   * @default {65536}
   */
  max_keys?: number;
  /**
   * Whether the limit is only logged.
   *
   * @default {false}
   */
  dry_run?: boolean;
}

/** `[sites.proxy.routes.basic_auth]`. Users and passwords by HTTP authentication. Takes the place of the site's. */
export interface RouteBasicAuthInput {
  /**
   * Whether passwords are asked for.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Users and the hashes of their passwords, as `bws hash-password` makes them. */
  users?: Record<string, string>;
  /** A file of users and hashes in the format of htpasswd. Read again when it changes. */
  users_file?: string;
  /**
   * What browsers show when they ask for the password.
   *
   * @default {"Restricted"}
   */
  realm?: string;
  /** Field in which upstreams get the user's name; one that a client sends is removed. */
  user_header?: string;
  /**
   * Whether upstreams get the Authorization field.
   *
   * @default {false}
   */
  forward_credentials?: boolean;
  /**
   * Passwords that one address may try in a minute; right ones are remembered, and do not count again.
   *
   * @default {20}
   */
  attempts_per_minute?: number;
}

/** `[sites.proxy.routes.jwt]`. Bearer tokens that are JWTs. Takes the place of the site's. */
export interface RouteJwtInput {
  /**
   * Whether tokens are asked for.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** Where the issuer has its keys (JWKS). They are fetched at the start, again after jwks_refresh, and when a token names a key that is not known; while they cannot be fetched, the earlier ones hold. */
  jwks_url?: string;
  /**
   * How long fetched keys hold before they are fetched again.
   *
   * @default {"10m"}
   */
  jwks_refresh?: string | number;
  /**
   * Shortest time between two fetches, whatever keys tokens name and whether a fetch failed.
   *
   * @default {"10s"}
   */
  jwks_cooldown?: string | number;
  /** PEM file of certificates to trust in addition to the system's, for jwks_url with https://. */
  ca_file?: string;
  /** A file of public keys: PEM (also certificates), a JWK or a JWKS. */
  key_file?: string;
  /** The same as text in the config. */
  public_key?: string;
  /** A file with the shared secret of HS256, HS384 and HS512, at least 32 bytes; line breaks at its end do not count. */
  secret_file?: string;
  /** The same as text, best as ${NAME}. */
  secret?: string;
  /** Algorithms of signatures that are accepted; default: those that the keys are for. none is never. */
  algorithms?: string[];
  /**
   * Values of iss that are accepted; default: any.
   *
   * @default {[]}
   */
  issuer?: string[];
  /**
   * Values of which aud must have one; default: any.
   *
   * @default {[]}
   */
  audience?: string[];
  /**
   * How far the clocks of issuer and server may differ.
   *
   * @default {"5s"}
   */
  leeway?: string | number;
  /**
   * Whether tokens without exp are refused, which hold for ever.
   *
   * @default {true}
   */
  require_exp?: boolean;
  /** Claims of which a token must have one of the values; 403 otherwise. Of lists one member counts, of scope and scp one word; a name with dots leads into objects. */
  require?: Record<string, string[]>;
  /** Fields in which upstreams get claims; those that a client sends are removed, in any spelling. Lists are joined by commas. */
  claim_headers?: Record<string, string>;
  /**
   * Claim with the user's name, for the access log and limits by user.
   *
   * @default {"sub"}
   */
  user_claim?: string;
  /** A cookie that may have the token in place of Authorization. */
  cookie?: string;
  /** A parameter of the query that may have the token, as for WebSockets of browsers. Queries stand in logs. */
  query?: string;
  /**
   * Whether upstreams get the Authorization field.
   *
   * @default {true}
   */
  forward_token?: boolean;
  /**
   * realm in WWW-Authenticate.
   *
   * @default {"Restricted"}
   */
  realm?: string;
}

/** `[sites.proxy.routes.forward_auth]`. A service that decides which requests pass. Takes the place of the site's. */
export interface RouteForwardAuthInput {
  /**
   * Whether the service is asked.
   *
   * @default {true}
   */
  enabled?: boolean;
  /** What is asked with GET before each request: http://, https:// or unix:/path.sock:/path. A status of 2xx lets the request pass. */
  url?: string;
  /**
   * Fields of the service's response with 2xx that upstreams get; those that a client sends are removed, in any spelling.
   *
   * @default {[]}
   */
  copy_headers?: string[];
  /** Field of the response with the user's name, for the access log and for limits by user. */
  user_header?: string;
  /**
   * Whether clients get the cookies that the service sets with 2xx. Those of other responses they get in any case.
   *
   * @default {false}
   */
  forward_cookies?: boolean;
  /**
   * Longest time for a response of the service; after it the request gets 503.
   *
   * @default {"5s"}
   */
  timeout?: string | number;
  /**
   * Largest body of a response of the service; with a larger one the request gets 502.
   *
   * @default {"1MiB"}
   */
  max_response?: string | number;
  /**
   * Most questions to the service at a time, in each worker; further requests get 503.
   *
   * @default {256}
   */
  max_in_flight?: number;
  /**
   * How long a 2xx holds for further requests with the same Cookie and Authorization, from the same address; 0 is not at all.
   *
   * @default {0}
   */
  cache?: string | number;
  /**
   * Whether a 2xx that is kept holds for the same method, host and URI alone, or for all: only for services that look at none of these.
   *
   * @default {"uri"}
   */
  cache_by?: "credentials" | "uri";
  /** PEM file of certificates to trust in addition to the system's, for https://. */
  ca_file?: string;
}

/** `[sites.proxy.routes.compression]`. Compression of responses. Takes the place of the site's. */
export interface RouteCompressionInput {
  /**
   * Whether responses are compressed.
   *
   * @default {true}
   */
  enabled?: boolean;
  /**
   * Content codings; where a client likes several alike, the first one is used.
   *
   * @default {["zstd","br","gzip"]}
   */
  algorithms?: ("zstd" | "br" | "gzip")[];
  /** 1 is quick, 9 is small; default: 5 for gzip, 4 for br, 3 for zstd. Each level above takes more processor time. */
  level?: number;
  /**
   * Smallest response that is compressed, where its size is known.
   *
   * @default {1024}
   */
  min_size?: string | number;
  /**
   * Media types that are compressed.
   *
   * @default {["text/*","*+json","*+xml","application/json","application/javascript","application/xml","application/wasm","application/x-javascript","application/manifest+json","application/x-ndjson","font/ttf","font/otf","application/vnd.ms-fontobject","image/svg+xml","image/bmp","image/x-icon"]}
   */
  types?: string[];
  /**
   * Prefixes of the paths whose responses are compressed; all where there are none.
   *
   * @default {[]}
   */
  paths?: string[];
  /**
   * Whether responses over https that set cookies are compressed. Not where a page repeats what a request says beside a secret: its size would tell the secret (BREACH).
   *
   * @default {false}
   */
  cookies?: boolean;
}

/** `[sites.proxy.routes.security_headers]`. Header fields that protect pages in browsers. true is a table without keys. Takes the place of the site's. */
export interface RouteSecurityHeadersInput {
  /**
   * X-Content-Type-Options: nosniff.
   *
   * @default {true}
   */
  content_type_options?: boolean;
  /**
   * X-Frame-Options: which pages may show this one in a frame; false for no field.
   *
   * @default {"SAMEORIGIN"}
   */
  frame_options?: false | "DENY" | "SAMEORIGIN";
  /**
   * Referrer-Policy; false for no field.
   *
   * @default {"strict-origin-when-cross-origin"}
   */
  referrer_policy?:
    | false
    | "origin"
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url";
  /**
   * Strict-Transport-Security of a year on responses over https; hsts of the site is the table with all keys.
   *
   * @default {true}
   */
  hsts?: boolean;
  /** Content-Security-Policy, as given. */
  content_security_policy?: string;
  /** Permissions-Policy, as given. */
  permissions_policy?: string;
  /** Cross-Origin-Opener-Policy, as given. */
  cross_origin_opener_policy?: string;
  /**
   * Whether Server and X-Powered-By of upstreams are removed.
   *
   * @default {true}
   */
  hide_server_header?: boolean;
}

/** `[sites.proxy.routes.response_headers]`. Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. Takes the place of the site's. */
export interface RouteResponseHeadersInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
  /**
   * Changes to responses of some statuses, in their order, after the others.
   *
   * @default {[]}
   */
  when?: RouteResponseHeadersWhenInput[];
}

/** `[sites.proxy.routes.cache]`. Cache-Control of files, and of responses of upstreams where proxied says so. Takes the place of the site's. */
export interface RouteCacheInput {
  /** Value of Cache-Control for every file. */
  control?: string;
  /** How long caches may keep a file: "public, max-age=N". */
  max_age?: string | number;
  /** What becomes of responses of upstreams to GET and HEAD: "keep" leaves them alone, "missing" gives those a Cache-Control that have none (but none that sets a cookie, or is for a user), "replace" gives it to all. By default "keep" on a site, and "missing" on a route. */
  proxied?: "keep" | "replace" | "missing";
  /**
   * Values for some files; the first rule that fits wins, with path and extensions where it has both.
   *
   * @default {[]}
   */
  rules?: RouteCacheRuleInput[];
}

/** `[sites.proxy.load_balancing.cookie]`. For cookie: the cookie that binds a client to its upstream. */
export interface CookieInput {
  /** Name of the cookie; where a site has several pools, a mark of the pool follows it. */
  name?: string;
  /** Signs the cookies, so that they are valid after a restart and on several proxies; random without it. */
  secret?: string;
  /** Path below which clients send the cookie. */
  path?: string;
  /** Domain whose hosts get the cookie; without it, the host that set it. */
  domain?: string;
  /** How long clients keep the cookie; without it, until the browser is closed. */
  max_age?: string | number;
  /** Send it over TLS only; "auto" where the client came over TLS. */
  secure?: boolean | "auto";
  /** Hide it from scripts. */
  http_only?: boolean;
  /** Which requests from other sites carry it; none needs secure = true. */
  same_site?: "lax" | "strict" | "none";
  /** Policy for clients without a cookie, or whose upstream is not available. */
  fallback?:
    | "round_robin"
    | "weighted"
    | "least_connections"
    | "weighted_round_robin"
    | "random"
    | "power_of_two"
    | "first"
    | "least_time"
    | "ip_hash"
    | "uri_hash"
    | "header_hash"
    | "cookie";
}

/** `[sites.proxy.headers.request]`. Changes to requests to upstreams. */
export interface RequestInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
}

/** `[sites.proxy.headers.response]`. Changes to responses of upstreams. */
export interface ResponseInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
}

/** `[sites.proxy.routes.headers.request]`. Changes to requests to upstreams. */
export interface RouteHeadersRequestInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /** Names of fields that are removed. */
  remove?: string[] | Record<string, boolean>;
}

/** `[sites.proxy.routes.headers.response]`. Changes to responses of upstreams. */
export interface RouteHeadersResponseInput {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /** Names of fields that are removed. */
  remove?: string[] | Record<string, boolean>;
}

/** `[sites.proxy.routes.response_headers.when]`. Changes to responses of some statuses, in their order, after the others. */
export interface RouteResponseHeadersWhenInput {
  /** Statuses, such as 404, "5xx" or ["2xx", 304]. */
  status: string | number | (string | number)[];
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /**
   * Names of fields that are removed.
   *
   * @default {[]}
   */
  remove?: string[] | Record<string, boolean>;
}

/** `[[sites.proxy.routes.cache.rules]]`. Values for some files; the first rule that fits wins, with path and extensions where it has both. */
export interface RouteCacheRuleInput {
  /** Prefix of the paths that the rule is for. */
  path?: string;
  /** Extensions of the files that the rule is for, with or without a dot. */
  extensions?: string[];
  /** Value of Cache-Control. */
  control: string;
}

/** A config as the program uses it: checked, with all defaults; durations in milliseconds, sizes in bytes. */
export interface Config {
  /** What holds for the whole process. */
  server: ServerConfig;
  /** What is written where. */
  logging: LoggingConfig;
  /** The API for operators. */
  management: ManagementConfig;
  /** Certificates that BWS obtains itself. */
  acme: AcmeConfig;
  /** A Redis in place of the folder acme.storage, so that several machines share certificates. */
  store?: StoreConfig;
  /** The sites, at least one. */
  sites: SiteConfig[];
  /** Substituted values (`${NAME}`): the path of each, with the text that is shown in its place. */
  substituted?: Readonly<Record<string, string>>;
  /** Absolute path of the file from which the config was read; it is never served. */
  file?: string;
}

/** `[server]`. What holds for the whole process. */
export interface ServerConfig {
  /** Name of this server; in the Via header field, characters that a token may not hold become "-". */
  name: string;
  /** Addresses and networks whose X-Forwarded-* and Forwarded header fields are trusted. */
  trusted_proxies: string[];
  /** Name servers for the names of upstreams; without them, the system's. */
  name_servers: string[];
  /** How many workers share the ports; "auto" is one for each processor. */
  workers: number | "auto";
  /** Module whose functions see each request before BWS does and its response after; loaded anew with each reload. */
  middleware?: string;
  /** Largest request body; without it there is no limit. */
  max_body_size?: number;
  /** Limits of BWS's own listener for clients. */
  limits: LimitsConfig;
  /** How long a WebSocket stays open after its route was changed or removed. */
  stream_close_delay: number;
  /** What serves the ports: "own", BWS's listener, or "runtime", the server of Deno. Without it, "own". */
  listener?: "own" | "runtime";
  /** How sockets of cleartext are driven: by the runtime, or by Linux itself (epoll, io_uring), which needs --allow-ffi; "auto" is the best that works here. */
  sockets: "auto" | "runtime" | "epoll" | "uring";
  /** Let another process listen on the same ports, so that a new one can start before the old one ends; Linux only. */
  reuse_port: boolean;
  /** How long the server continues to serve, while it reports that it is not ready, before it stops. */
  shutdown_delay: number;
  /** How long exchanges may take to end when the server stops. */
  shutdown_timeout: number;
}

/** `[logging]`. What is written where. */
export interface LoggingConfig {
  /** The least severe messages to write. */
  level: "error" | "debug" | "info" | "warn";
  /** Form of a line: JSON, or the combined log format. */
  format: "json" | "combined";
  /** "stdout", "stderr", the path of a file, "syslog" for the local syslog server, or the URL of another one: "syslog+udp://HOST:PORT", "syslog+tcp://HOST:PORT", "syslog+unix:/PATH". */
  output: string;
  /** Whether each exchange writes a line. */
  access: boolean;
  /** Lines of the access log; false for none, a text for another output. */
  access_log?: string | false | true | AccessLogConfig;
  /** Rotation of all log files by BWS: a file is renamed, with the time behind its name. */
  rotate?: RotateConfig;
  /** What messages to a syslog server have. */
  syslog: SyslogConfig;
}

/** `[management]`. The API for operators. */
export interface ManagementConfig {
  /** Whether the management API listens. */
  enabled: boolean;
  /** Whether metrics are kept; without them a request costs a little less. */
  metrics: boolean;
  /** Address to listen on; anything but loopback needs an api_key. */
  host: string;
  /** Port to listen on; 0 is any free one. */
  port: number;
  /** Host names under which callers know the management API, besides localhost, IP addresses and host. */
  hosts?: string[];
  /** Key that callers of the management API must send, of at least 16 characters. */
  api_key?: string;
}

/** `[acme]`. Certificates that BWS obtains itself. */
export interface AcmeConfig {
  /** Address of the account, to which authorities write. */
  email?: string;
  /** Whether the terms of service of the authorities are agreed to; without that they issue no certificates. */
  agree_tos: boolean;
  /** Authorities, in the order in which they are tried; without any, Let's Encrypt. */
  directories: DirectoryConfig[];
  /** Use the staging environment of Let's Encrypt, whose certificates browsers do not trust, in place of the directories. */
  staging: boolean;
  /** Folder for accounts, certificates and the local authority. Without it, $STATE_DIRECTORY, or bws in the user's data folder. */
  storage?: string;
  /** Kind of the certificates' keys. */
  key_type: "p256" | "p384" | "rsa2048" | "rsa4096";
  /** Port on which challenges are answered and requests are redirected to https. It is opened for sites with ACME where no site listens on it. Authorities always connect to port 80. */
  http_port: number;
  /** Program, with arguments, that sets TXT records, as wildcards need it: called with present or cleanup, the name and the value. With it, control of all names is proved by DNS-01, without it by HTTP-01. */
  dns_command?: string[];
  /** Longest time for one call of dns_command. */
  dns_timeout: number;
  /** How long a TXT record is given to reach the name servers of the zone. */
  propagation_delay: number;
  /** Certificates for names that no site lists, for sites with on_demand. */
  on_demand?: OnDemandConfig;
}

/** `[store]`. A Redis in place of the folder acme.storage, so that several machines share certificates. */
export interface StoreConfig {
  /** URL of the Redis, with user, password and number of the database if it has them: redis://user:password@host:6379/0; rediss:// for TLS. */
  url: string;
  /** User to log in as, in place of one in the URL. */
  username?: string;
  /** Password to log in with, in place of one in the URL. */
  password?: string;
  /** PEM file of CA certificates to trust for rediss://, in addition to the system's. */
  ca_file?: string;
  /** Text that all keys begin with: those of one prefix share certificates. */
  prefix: string;
  /** Longest time for connecting, and for a reply. */
  timeout: number;
}

/** `[[sites]]`. The sites, at least one. */
export interface SiteConfig {
  /** Name in logs and metrics; without it, the first host name. */
  name: string;
  /** Host name: exact, "*.example.com", an IP address, or "*" for any. */
  hostname?: string;
  /** More host names; a site without any serves all hosts. */
  hostnames: string[];
  /** Port to listen on; sites may share it. 0 is any free one, for this site alone. */
  port: number;
  /** IP address to listen on; without it, all interfaces of both families. */
  listen?: string;
  /** Whether the site serves hosts that no site of the port names. */
  default: boolean;
  /** Whether connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, from which the client's address is taken. With BWS's own listener; the same for all sites of a port. */
  proxy_protocol: boolean;
  /** Limits of the site's port for clients, in place of those of [server.limits], key by key. They hold for all sites of the port: two of them must not set a key to two values. */
  limits?: SiteLimitsConfig;
  /** TLS with clients. A word in place of the table: "acme" or "internal" says who issues the certificates, "auto" is an empty table, "off" is cleartext. Without it, a site with a host name on port 443 has "auto", any other cleartext. */
  tls?: "off" | TlsConfig;
  /** Folder whose files are served. */
  static_dir?: string;
  /** Names of index files of a folder; the first that exists is served. */
  index_files: string[];
  /** Whether folders without an index file are listed. */
  browse: boolean;
  /** What to look for, in order; "$path" stands for the path of the request, and "=404" may end the list. */
  try_files: string[];
  /** Whether files whose name begins with a dot are served. */
  dotfiles: boolean;
  /** Whether links may lead out of static_dir. */
  follow_symlinks: boolean;
  /** Whether .br, .zst and .gz files beside a file are served in its place. */
  precompressed: boolean;
  /** Content-Type of files, by extension (".wasm", ".tar.gz"), by name, or "*" for all whose type is not known. */
  media_types: Record<string, string>;
  /** Whether the files of static_dir are not served: routes and the site's own endpoints alone respond. */
  api_only: boolean;
  /** Whether the site has the internal endpoints such as /api/health, or the prefix that replaces /api. */
  internal_api: string | boolean;
  /** Lines of the access log; false for none, a text for another output. */
  access_log?: string | false | true | SiteAccessLogConfig;
  /** The id of a request in logs and header fields. */
  request_id: RequestIdConfig;
  /** Redirects, before everything else of the site; the first that fits decides. */
  redirects: RedirectsConfig[];
  /** Changes of path and query within the site, which the client does not see: before a route, or a file, is chosen, and after redirects; the first that fits decides. */
  rewrite: RewriteConfig[];
  /** Redirect requests in cleartext to https (308), except for /.well-known/acme-challenge/ and the site's own endpoints. Of a site with TLS: those to acme.http_port, which is opened for it where no site has the host there; true without it where the certificate comes by ACME. */
  redirect_to_https?: boolean;
  /** Whether a GET or HEAD for a route without its last "/" is redirected to it, if no other route or file matches. */
  redirect_slash: boolean;
  /** Largest request body; overrides the server's. */
  max_body_size?: number;
  /** Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. */
  request_buffering?: false | true | RequestBufferingConfig;
  /** Which pages of other origins may read responses. */
  cors?: CorsConfig;
  /** Which addresses of clients are let in. */
  access?: AccessConfig;
  /** Maintenance: every request gets 503, with the error page for it. true is a table without keys. */
  maintenance?: false | true | MaintenanceConfig;
  /** How many requests are let through. */
  rate_limit?: RateLimitConfig;
  /** Users and passwords by HTTP authentication. */
  basic_auth?: BasicAuthConfig;
  /** Bearer tokens that are JWTs. */
  jwt?: JwtConfig;
  /** A service that decides which requests pass. */
  forward_auth?: ForwardAuthConfig;
  /** Fixed responses; the first that fits decides. */
  respond: RespondConfig[];
  /** Compression of responses. */
  compression?: CompressionConfig;
  /** Header fields that protect pages in browsers. true is a table without keys. */
  security_headers?: false | true | SecurityHeadersConfig;
  /** Header fields of every response of the site; [sites.response_headers] has more keys. */
  headers: Record<string, string>;
  /** Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. */
  response_headers?: ResponseHeadersConfig;
  /** Strict-Transport-Security on responses over https: browsers then use https only. true is a table without keys. */
  hsts?: false | true | HstsConfig;
  /** Files for error responses, by status or class ("5xx"). HTML, JSON and plain text may have placeholders, such as {request.id}. */
  error_pages: Record<string, string>;
  /** Cache-Control of files, and of responses of upstreams where proxied says so. */
  cache: CacheConfig;
  /** Header fields of some files of static_dir; all rules that fit apply, and of two values for one field the later one. */
  file_rules: FileRulesConfig[];
  /** Statuses of error responses of upstreams, such as [404, "5xx"], that get the page of error_pages in their place, or BWS's own error response. */
  intercept_errors: StatusRange[];
  /** What is proxied. */
  proxy?: ProxyConfig;
}

/** `[server.limits]`. Limits of BWS's own listener for clients. */
export interface LimitsConfig {
  /** Longest time from the first byte of a request's head to its last, however slowly it arrives, and from the opening of a connection to its first byte; 408. 0 is no limit. */
  header_timeout: number;
  /** Longest silence of a client while its body is awaited; 408. 0 is no limit. */
  body_timeout: number;
  /** Lowest average rate of a request's body in bytes a second, after 20 s in which the client was waited for, or after body_timeout if that is shorter; 408. Also of a response, over write_timeout. 0 is none. */
  min_rate: number;
  /** Longest time between two requests of a connection; 0 is no limit. */
  idle_timeout: number;
  /** Longest time in which a client takes no byte of a response, and time over which min_rate applies to it; 0 is no limit. */
  write_timeout: number;
  /** Largest head of a request with its first line; 431, or 414 where the first line takes more than half of it. */
  max_header_size: number;
  /** Most header lines of a request; 431. */
  max_header_lines: number;
  /** Most open connections of a listener in each worker; the longest idle one is closed for a new one. 0 is no limit. */
  max_connections: number;
  /** Most open connections from one address to a listener in each worker, except for trusted proxies; 0 is no limit. */
  max_connections_per_address: number;
  /** Most requests of one connection; 0 is no limit. */
  max_requests: number;
  /** Most requests of a connection of HTTP/2 that are under way at once. */
  max_concurrent_streams: number;
  /** Longest time of a TLS handshake, from the opening of its connection; 0 is no limit. */
  handshake_timeout: number;
  /** Most TLS handshakes of a listener that are under way in each worker; the oldest one is ended for a new one. 0 is no limit. */
  max_handshakes: number;
  /** Most new TLS connections from one address in a second to a listener in each worker, except for trusted proxies; further ones are closed. 0 is no limit. */
  max_handshake_rate: number;
}

/** `[logging.access_log]`. Lines of the access log; false for none, a text for another output. */
export interface AccessLogConfig {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: StatusRange[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: number;
}

/** `[logging.rotate]`. Rotation of all log files by BWS: a file is renamed, with the time behind its name. */
export interface RotateConfig {
  /** Size from which a file is rotated. */
  size?: number;
  /** Length of a period, such as 1h or 1d, in UTC: the first line of a new one begins a new file. */
  every?: number;
  /** How many old files are kept; 0 for all. */
  keep: number;
  /** Age from which old files are deleted. */
  keep_for?: number;
  /** Whether old files are compressed with gzip. */
  compress: boolean;
}

/** `[logging.syslog]`. What messages to a syslog server have. */
export interface SyslogConfig {
  /** Facility of messages. */
  facility:
    | "kern"
    | "user"
    | "mail"
    | "daemon"
    | "auth"
    | "syslog"
    | "lpr"
    | "news"
    | "uucp"
    | "cron"
    | "authpriv"
    | "ftp"
    | "ntp"
    | "audit"
    | "alert"
    | "clock"
    | "local0"
    | "local1"
    | "local2"
    | "local3"
    | "local4"
    | "local5"
    | "local6"
    | "local7";
  /** APP-NAME of messages. */
  app_name: string;
  /** HOSTNAME of messages; without it, the system's. */
  hostname?: string;
}

/** `[[acme.directories]]`. Authorities, in the order in which they are tried; without any, Let's Encrypt. */
export interface DirectoryConfig {
  /** URL of the directory, or "letsencrypt", "letsencrypt-staging" or "zerossl". */
  url: string;
  /** External account binding, which some authorities require. */
  eab?: EabConfig;
  /** PEM file of CA certificates to trust for the directory, in addition to the system's. */
  ca_file?: string;
  /** Common name of an issuer: of several chains that the authority offers, the first in which it stands is used. */
  preferred_chain?: string;
}

/** `[acme.on_demand]`. Certificates for names that no site lists, for sites with on_demand. */
export interface OnDemandConfig {
  /** URL that is asked with the query domain=NAME before a certificate is requested: 2xx allows it, anything else does not. */
  ask: string;
  /** Most certificates requested a minute. */
  max_per_minute: number;
  /** Most names that have a certificate on demand at a time. */
  max_names: number;
}

/** `[sites.limits]`. Limits of the site's port for clients, in place of those of [server.limits], key by key. They hold for all sites of the port: two of them must not set a key to two values. */
export interface SiteLimitsConfig {
  /** Longest time from the first byte of a request's head to its last, however slowly it arrives, and from the opening of a connection to its first byte; 408. 0 is no limit. */
  header_timeout?: number;
  /** Longest silence of a client while its body is awaited; 408. 0 is no limit. */
  body_timeout?: number;
  /** Lowest average rate of a request's body in bytes a second, after 20 s in which the client was waited for, or after body_timeout if that is shorter; 408. Also of a response, over write_timeout. 0 is none. */
  min_rate?: number;
  /** Longest time between two requests of a connection; 0 is no limit. */
  idle_timeout?: number;
  /** Longest time in which a client takes no byte of a response, and time over which min_rate applies to it; 0 is no limit. */
  write_timeout?: number;
  /** Largest head of a request with its first line; 431, or 414 where the first line takes more than half of it. */
  max_header_size?: number;
  /** Most header lines of a request; 431. */
  max_header_lines?: number;
  /** Most open connections of a listener in each worker; the longest idle one is closed for a new one. 0 is no limit. */
  max_connections?: number;
  /** Most open connections from one address to a listener in each worker, except for trusted proxies; 0 is no limit. */
  max_connections_per_address?: number;
  /** Most requests of one connection; 0 is no limit. */
  max_requests?: number;
  /** Most requests of a connection of HTTP/2 that are under way at once. */
  max_concurrent_streams?: number;
  /** Longest time of a TLS handshake, from the opening of its connection; 0 is no limit. */
  handshake_timeout?: number;
  /** Most TLS handshakes of a listener that are under way in each worker; the oldest one is ended for a new one. 0 is no limit. */
  max_handshakes?: number;
  /** Most new TLS connections from one address in a second to a listener in each worker, except for trusted proxies; further ones are closed. 0 is no limit. */
  max_handshake_rate?: number;
}

/** `[sites.tls]`. TLS with clients. A word in place of the table: "acme" or "internal" says who issues the certificates, "auto" is an empty table, "off" is cleartext. Without it, a site with a host name on port 443 has "auto", any other cleartext. */
export interface TlsConfig {
  /** PEM file of the certificate, with its intermediate certificates behind it; read again when it changes. */
  cert_file?: string;
  /** PEM file of its private key. */
  key_file?: string;
  /** More certificates: the one whose name fits is used, exact names before wildcards. */
  certificates: CertificateConfig[];
  /** Who issues the certificates of a site that names no files: authorities by ACME, or the local authority. Without it, ACME for public names, and the local authority for localhost, IP addresses and names of internal networks. */
  issuer?: "acme" | "internal";
  /** Names to get certificates for, in addition to the host names of the site. */
  names: string[];
  /** Get a certificate when a client first asks for a name, if acme.on_demand.ask allows it. */
  on_demand: boolean;
  /** Lowest version of TLS. */
  min_version: "TLSv1.2" | "TLSv1.3";
  /** Protocols to offer, the preferred one first. */
  alpn: ("http/1.1" | "h2")[];
  /** Refuse handshakes for names that no site of the port has, instead of sending the certificate of the default site. Enough in one site of a port. */
  strict_sni: boolean;
  /** Certificates of clients. */
  client_auth?: ClientAuthConfig;
}

/** `[sites.access_log]`. Lines of the access log; false for none, a text for another output. */
export interface SiteAccessLogConfig {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: StatusRange[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: number;
}

/** `[sites.request_id]`. The id of a request in logs and header fields. */
export interface RequestIdConfig {
  /** Name of the field that carries the id of a request: from trusted_proxies, to upstreams and to clients. */
  header: string;
  /** Keep the id that an upstream puts on its response, instead of the request's. */
  trust: boolean;
}

/** `[sites.redirects]`. Redirects, before everything else of the site; the first that fits decides. */
export interface RedirectsConfig {
  /** Which requests: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular expression with (?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*". */
  from: string;
  /** Where to: a path or a URL with placeholders: {path}, {query}, {host}, {scheme}, {*} for the rest behind a star, and named parts. The query is kept unless this has one. */
  to: string;
  /** 301, 302, 303, 307 or 308. */
  status: number;
}

/** `[sites.rewrite]`. Changes of path and query within the site, which the client does not see: before a route, or a file, is chosen, and after redirects; the first that fits decides. */
export interface RewriteConfig {
  /** Which requests, as in redirects: a path, "/old/*" for all below one, "/users/:id" with a named part, or "~" and a regular expression with (?<name>…) parts. A scheme and a host may stand before it, as in "http://www.example.com/*". */
  from: string;
  /** What they become: a path with placeholders: {*} for the rest behind a star, named parts, {path}, {query}, {host} and others. The query is kept; one in "to" takes its place ("&{query}" in it adds the request's, and "?" alone drops it). */
  to: string;
}

/** `[sites.request_buffering]`. Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. */
export interface RequestBufferingConfig {
  /** Whether bodies are read whole before an upstream is asked. */
  enabled: boolean;
  /** Largest body that is kept in memory; a larger one is kept in a file. */
  max_memory: number;
  /** Largest body that is taken; a larger one is refused with 413. */
  max_size: number;
  /** Most bytes in files, of all bodies of a worker together; a body beyond them is refused with 507. */
  max_total: number;
  /** Folder of the files, which have no name while they are used; without it, the system's for temporary files. */
  folder?: string;
}

/** `[sites.cors]`. Which pages of other origins may read responses. */
export interface CorsConfig {
  /** Origins whose pages may read responses: "https://app.example.com", "https://*.example.com" for all hosts below one, "*" for every origin, or "~" and a regular expression that the whole origin matches. */
  origins: string[];
  /** Methods that such pages may use. */
  methods: string[];
  /** Header fields that such pages may send, besides the simple ones; "*" for all that are asked for. */
  headers: string[] | "*";
  /** Header fields of responses that such pages may read, besides the simple ones. */
  exposed_headers: string[];
  /** Whether cookies and other credentials are sent along. Not with "*": every page of the web could act as its visitor. */
  credentials: boolean;
  /** How long browsers may keep the response to a preflight; 0 for not at all. */
  max_age: number;
  /** Whether public pages may ask a server of a private network (Access-Control-Allow-Private-Network). */
  private_network: boolean;
}

/** `[sites.access]`. Which addresses of clients are let in. */
export interface AccessConfig {
  /** Rules in their order, such as "deny 10.0.0.13", "allow 10.0.0.0/8", "deny all": the first one that fits decides. They are looked at before the lists below. */
  rules: string[];
  /** Addresses and networks that are refused. */
  deny: string[];
  /** Addresses and networks that are let in. With this key, or allow_file, all others are refused. */
  allow: string[];
  /** A file with addresses and networks that are refused, one a line, # before a comment. Read again when it changes. */
  deny_file?: string;
  /** A file with addresses and networks that are let in. */
  allow_file?: string;
  /** What those who are refused get: 403, or nothing: the connection is closed. */
  action: "forbid" | "drop";
}

/** `[sites.maintenance]`. Maintenance: every request gets 503, with the error page for it. true is a table without keys. */
export interface MaintenanceConfig {
  /** Whether the site is in maintenance. */
  enabled: boolean;
  /** Addresses and networks of clients that still pass. */
  allow: string[];
  /** Retry-After of the response; 0 for no field. */
  retry_after: number;
}

/** `[sites.rate_limit]`. How many requests are let through. */
export interface RateLimitConfig {
  /** Whether the limit holds. */
  enabled: boolean;
  /** Requests that are let through in the long run, such as "5/s", "100/m" or "10/30s"; each one above gets 429. */
  rate?: string;
  /** Requests that may be under way at a time, with their responses and as WebSockets; each one above gets 429. */
  max_in_flight?: number;
  /** Requests that may come at once after a pause; default: those of one second, at least 1. */
  burst?: number;
  /** What is counted by itself: "address" of the client (IPv6 by /64), "user" of basic_auth, jwt or forward_auth, "header:NAME", "cookie:NAME" (a request without it counts by address), or "route" for all clients together. */
  key: string;
  /** Addresses and networks that are not limited. */
  exempt: string[];
  /** How many keys are remembered; of more, those are forgotten whose last request is longest ago. 8 bytes each, for all workers. */
  max_keys: number;
  /** Whether the limit is only logged. */
  dry_run: boolean;
}

/** `[sites.basic_auth]`. Users and passwords by HTTP authentication. */
export interface BasicAuthConfig {
  /** Whether passwords are asked for. */
  enabled: boolean;
  /** Users and the hashes of their passwords, as `bws hash-password` makes them. */
  users: Record<string, string>;
  /** A file of users and hashes in the format of htpasswd. Read again when it changes. */
  users_file?: string;
  /** What browsers show when they ask for the password. */
  realm: string;
  /** Field in which upstreams get the user's name; one that a client sends is removed. */
  user_header?: string;
  /** Whether upstreams get the Authorization field. */
  forward_credentials: boolean;
  /** Passwords that one address may try in a minute; right ones are remembered, and do not count again. */
  attempts_per_minute: number;
}

/** `[sites.jwt]`. Bearer tokens that are JWTs. */
export interface JwtConfig {
  /** Whether tokens are asked for. */
  enabled: boolean;
  /** Where the issuer has its keys (JWKS). They are fetched at the start, again after jwks_refresh, and when a token names a key that is not known; while they cannot be fetched, the earlier ones hold. */
  jwks_url?: string;
  /** How long fetched keys hold before they are fetched again. */
  jwks_refresh: number;
  /** Shortest time between two fetches, whatever keys tokens name and whether a fetch failed. */
  jwks_cooldown: number;
  /** PEM file of certificates to trust in addition to the system's, for jwks_url with https://. */
  ca_file?: string;
  /** A file of public keys: PEM (also certificates), a JWK or a JWKS. */
  key_file?: string;
  /** The same as text in the config. */
  public_key?: string;
  /** A file with the shared secret of HS256, HS384 and HS512, at least 32 bytes; line breaks at its end do not count. */
  secret_file?: string;
  /** The same as text, best as ${NAME}. */
  secret?: string;
  /** Algorithms of signatures that are accepted; default: those that the keys are for. none is never. */
  algorithms?: string[];
  /** Values of iss that are accepted; default: any. */
  issuer: string[];
  /** Values of which aud must have one; default: any. */
  audience: string[];
  /** How far the clocks of issuer and server may differ. */
  leeway: number;
  /** Whether tokens without exp are refused, which hold for ever. */
  require_exp: boolean;
  /** Claims of which a token must have one of the values; 403 otherwise. Of lists one member counts, of scope and scp one word; a name with dots leads into objects. */
  require: Record<string, string[]>;
  /** Fields in which upstreams get claims; those that a client sends are removed, in any spelling. Lists are joined by commas. */
  claim_headers: Record<string, string>;
  /** Claim with the user's name, for the access log and limits by user. */
  user_claim: string;
  /** A cookie that may have the token in place of Authorization. */
  cookie?: string;
  /** A parameter of the query that may have the token, as for WebSockets of browsers. Queries stand in logs. */
  query?: string;
  /** Whether upstreams get the Authorization field. */
  forward_token: boolean;
  /** realm in WWW-Authenticate. */
  realm: string;
}

/** `[sites.forward_auth]`. A service that decides which requests pass. */
export interface ForwardAuthConfig {
  /** Whether the service is asked. */
  enabled: boolean;
  /** What is asked with GET before each request: http://, https:// or unix:/path.sock:/path. A status of 2xx lets the request pass. */
  url?: string;
  /** Fields of the service's response with 2xx that upstreams get; those that a client sends are removed, in any spelling. */
  copy_headers: string[];
  /** Field of the response with the user's name, for the access log and for limits by user. */
  user_header?: string;
  /** Whether clients get the cookies that the service sets with 2xx. Those of other responses they get in any case. */
  forward_cookies: boolean;
  /** Longest time for a response of the service; after it the request gets 503. */
  timeout: number;
  /** Largest body of a response of the service; with a larger one the request gets 502. */
  max_response: number;
  /** Most questions to the service at a time, in each worker; further requests get 503. */
  max_in_flight: number;
  /** How long a 2xx holds for further requests with the same Cookie and Authorization, from the same address; 0 is not at all. */
  cache: number;
  /** Whether a 2xx that is kept holds for the same method, host and URI alone, or for all: only for services that look at none of these. */
  cache_by: "credentials" | "uri";
  /** PEM file of certificates to trust in addition to the system's, for https://. */
  ca_file?: string;
}

/** `[sites.respond]`. Fixed responses; the first that fits decides. */
export interface RespondConfig {
  /** Which requests: a path, "/gone/*" for all below one, or "~" and a regular expression. */
  path: string;
  /** Methods; all by default. */
  methods?: string[];
  /** Status. */
  status: number;
  /** Text of the body, with placeholders such as {client.ip}; JSON stays as it is. */
  body?: string;
  /** Content-Type of the body. */
  content_type: string;
  /** Header fields of the response, with placeholders. */
  headers: Record<string, string>;
}

/** `[sites.compression]`. Compression of responses. */
export interface CompressionConfig {
  /** Whether responses are compressed. */
  enabled: boolean;
  /** Content codings; where a client likes several alike, the first one is used. */
  algorithms: ("zstd" | "br" | "gzip")[];
  /** 1 is quick, 9 is small; default: 5 for gzip, 4 for br, 3 for zstd. Each level above takes more processor time. */
  level?: number;
  /** Smallest response that is compressed, where its size is known. */
  min_size: number;
  /** Media types that are compressed. */
  types: string[];
  /** Prefixes of the paths whose responses are compressed; all where there are none. */
  paths: string[];
  /** Whether responses over https that set cookies are compressed. Not where a page repeats what a request says beside a secret: its size would tell the secret (BREACH). */
  cookies: boolean;
}

/** `[sites.security_headers]`. Header fields that protect pages in browsers. true is a table without keys. */
export interface SecurityHeadersConfig {
  /** X-Content-Type-Options: nosniff. */
  content_type_options: boolean;
  /** X-Frame-Options: which pages may show this one in a frame; false for no field. */
  frame_options: false | "DENY" | "SAMEORIGIN";
  /** Referrer-Policy; false for no field. */
  referrer_policy:
    | false
    | "origin"
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url";
  /** Strict-Transport-Security of a year on responses over https; hsts of the site is the table with all keys. */
  hsts: boolean;
  /** Content-Security-Policy, as given. */
  content_security_policy?: string;
  /** Permissions-Policy, as given. */
  permissions_policy?: string;
  /** Cross-Origin-Opener-Policy, as given. */
  cross_origin_opener_policy?: string;
  /** Whether Server and X-Powered-By of upstreams are removed. */
  hide_server_header: boolean;
}

/** `[sites.response_headers]`. Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. */
export interface ResponseHeadersConfig {
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
  /** Changes to responses of some statuses, in their order, after the others. */
  when: WhenConfig[];
}

/** `[sites.hsts]`. Strict-Transport-Security on responses over https: browsers then use https only. true is a table without keys. */
export interface HstsConfig {
  /** How long browsers keep to it; 0 makes them forget it. */
  max_age: number;
  /** Whether it holds for all hosts below this one. */
  include_subdomains: boolean;
  /** Whether browsers may have the host in their built-in list, from which it is hard to remove. */
  preload: boolean;
}

/** `[sites.cache]`. Cache-Control of files, and of responses of upstreams where proxied says so. */
export interface CacheConfig {
  /** Value of Cache-Control for every file. */
  control?: string;
  /** How long caches may keep a file: "public, max-age=N". */
  max_age?: number;
  /** What becomes of responses of upstreams to GET and HEAD: "keep" leaves them alone, "missing" gives those a Cache-Control that have none (but none that sets a cookie, or is for a user), "replace" gives it to all. By default "keep" on a site, and "missing" on a route. */
  proxied?: "keep" | "replace" | "missing";
  /** Values for some files; the first rule that fits wins, with path and extensions where it has both. */
  rules: RuleConfig[];
}

/** `[sites.file_rules]`. Header fields of some files of static_dir; all rules that fit apply, and of two values for one field the later one. */
export interface FileRulesConfig {
  /** Which files: names such as "*.pdf", compared without case, or paths below static_dir such as "/fonts/*". */
  match: string[];
  /** Header fields of these files. */
  headers: Record<string, string>;
  /** Whether browsers save these files under their name and do not show them (Content-Disposition: attachment). */
  download: boolean;
}

/** `[sites.proxy]`. What is proxied. */
export interface ProxyConfig {
  /** Whether the site proxies; its tables are checked in any case. */
  enabled: boolean;
  /** Send the client's Host upstream, instead of the host of the URL. */
  preserve_host: boolean;
  /** Map Location, Content-Location, Refresh, and Path and Domain of cookies back where they name the upstream; without it, where the upstream sees another Host or path than the client. */
  rewrite_redirects?: boolean;
  /** The servers to proxy to. */
  upstreams: UpstreamConfig[];
  /** Which requests go to which pool. */
  routes: RouteConfig[];
  /** How pools choose. */
  load_balancing: LoadBalancingConfig;
  /** How long upstreams may take. */
  timeout: TimeoutConfig;
  /** Changes to header fields. */
  headers: HeadersConfig;
  /** How connections to upstreams are kept and limited. */
  connections: ConnectionsConfig;
  /** Pings, timeouts and limits of WebSockets. */
  websocket: WebsocketConfig;
  /** How upstreams are probed; on when present. */
  health_check: HealthCheckConfig;
  /** When upstreams that fail are ejected. */
  passive_health: PassiveHealthConfig;
  /** A breaker per upstream; on when present. */
  circuit_breaker: CircuitBreakerConfig;
  /** How requests are retried. */
  retries: RetriesConfig;
}

/** `[acme.directories.eab]`. External account binding, which some authorities require. */
export interface EabConfig {
  /** Key identifier that the authority has given. */
  key_id: string;
  /** Key that the authority has given. */
  hmac_key: string;
}

/** `[[sites.tls.certificates]]`. More certificates: the one whose name fits is used, exact names before wildcards. */
export interface CertificateConfig {
  /** PEM file of the certificate, with its intermediate certificates behind it. */
  cert_file: string;
  /** PEM file of its private key. */
  key_file: string;
}

/** `[sites.tls.client_auth]`. Certificates of clients. */
export interface ClientAuthConfig {
  /** Refuse clients without a certificate that verifies, or only ask for one. */
  mode: "request" | "require";
  /** PEM file of the authorities that issue the certificates of clients. */
  ca_file: string;
  /** Tell upstreams of the certificate in X-Client-Cert-Verify, -Subject, -Issuer, -Serial and -Fingerprint. What clients send in these fields is always removed. */
  headers: boolean;
}

/** `[sites.response_headers.when]`. Changes to responses of some statuses, in their order, after the others. */
export interface WhenConfig {
  /** Statuses, such as 404, "5xx" or ["2xx", 304]. */
  status: StatusRange[];
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
}

/** `[[sites.cache.rules]]`. Values for some files; the first rule that fits wins, with path and extensions where it has both. */
export interface RuleConfig {
  /** Prefix of the paths that the rule is for. */
  path?: string;
  /** Extensions of the files that the rule is for, with or without a dot. */
  extensions?: string[];
  /** Value of Cache-Control. */
  control: string;
}

/** `[[sites.proxy.upstreams]]`. The servers to proxy to. */
export interface UpstreamConfig {
  /** Name of the pool; upstreams of the same name share its load. */
  name: string;
  /** Where the upstream listens: http://, https://, h2c:// (HTTP/2 in clear text), srv+http://name (SRV records) or unix:/path.sock; a base path is put before every path. */
  url: string;
  /** Version of HTTP: http/1.1, h2 (HTTP/2), or, for https:// only, auto (what the upstream prefers). Without it h2 for h2c:// and http/1.1 for other URLs. WebSockets use HTTP/1.1 where the upstream does not announce them for h2. */
  protocol?: "http/1.1" | "h2" | "auto";
  /** Share of the load, relative to the pool's other upstreams. */
  weight: number;
  /** Maximum number of exchanges in flight; 0 is the value of connections.max_connections. */
  max_connections: number;
  /** Used only when no other upstream of the pool is available. */
  backup: boolean;
  /** Look the URL's name up periodically, and make every address an upstream; srv+http:// always does. */
  resolve?: boolean;
  /** Time between two look-ups; sets resolve. Without it, the TTL of the records. */
  resolve_interval?: number;
  /** Begin each connection with a header of the PROXY protocol of this version, which tells the client's address. Such connections are not shared between clients. Probes tell that they are BWS's own (UNKNOWN, LOCAL). */
  proxy_protocol?: "v1" | "v2";
  /** How to speak TLS with this upstream; for https:// only. */
  tls?: UpstreamTlsConfig;
}

/** `[[sites.proxy.routes]]`. Which requests go to which pool. */
export interface RouteConfig {
  /** Prefix of the paths to proxy, up to a "/" or the end; see exact and pattern. */
  path: string;
  /** Name of the pool that takes the requests. */
  upstream: string;
  /** Remove the matched prefix from the path of the request to the upstream. */
  strip_prefix: boolean;
  /** Text that replaces the matched prefix, or the whole path of an exact or pattern route. */
  rewrite_target?: string;
  /** Whether requests may upgrade to WebSocket. */
  websocket: boolean;
  /** Match this path only, and nothing below it. */
  exact: boolean;
  /** Read path as a URLPattern pathname, such as /users/:id. */
  pattern: boolean;
  /** Methods to match; without it, all. */
  methods?: string[];
  /** Overrides the proxy's preserve_host. */
  preserve_host?: boolean;
  /** Overrides the proxy's rewrite_redirects. */
  rewrite_redirects?: boolean;
  /** How long this route may take; what it does not set is the proxy's. */
  timeout?: RouteTimeoutConfig;
  /** How requests of this route are retried; what it does not set is the proxy's. */
  retries?: RouteRetriesConfig;
  /** Changes to header fields on this route; what it does not set is the proxy's, field by field. */
  headers?: RouteHeadersConfig;
  /** Whether clients and upstreams may be silent for long, as in long polls and streams: no failure of the upstream. */
  streaming: boolean;
  /** Files of static_dir to look for before a GET or HEAD goes upstream, in order; "$path" stands for the path of the request. After "=404" at the end no GET or HEAD goes upstream. Not inherited: the site's are for requests that no route takes. */
  try_files?: string[];
  /** Lines of the access log; false for none, a text for another output. Takes the place of the site's. */
  access_log?: string | false | true | RouteAccessLogConfig;
  /** Whether a GET or HEAD for a route without its last "/" is redirected to it, if no other route or file matches. Takes the place of the site's. */
  redirect_slash?: boolean;
  /** Largest request body; overrides the server's. Takes the place of the site's. */
  max_body_size?: number;
  /** Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. Takes the place of the site's. */
  request_buffering?: false | true | RouteRequestBufferingConfig;
  /** Which pages of other origins may read responses. Takes the place of the site's. */
  cors?: RouteCorsConfig;
  /** Which addresses of clients are let in. Takes the place of the site's. */
  access?: RouteAccessConfig;
  /** Maintenance: every request gets 503, with the error page for it. true is a table without keys. Takes the place of the site's. */
  maintenance?: false | true | RouteMaintenanceConfig;
  /** How many requests are let through. Takes the place of the site's. */
  rate_limit?: RouteRateLimitConfig;
  /** Users and passwords by HTTP authentication. Takes the place of the site's. */
  basic_auth?: RouteBasicAuthConfig;
  /** Bearer tokens that are JWTs. Takes the place of the site's. */
  jwt?: RouteJwtConfig;
  /** A service that decides which requests pass. Takes the place of the site's. */
  forward_auth?: RouteForwardAuthConfig;
  /** Compression of responses. Takes the place of the site's. */
  compression?: RouteCompressionConfig;
  /** Header fields that protect pages in browsers. true is a table without keys. Takes the place of the site's. */
  security_headers?: false | true | RouteSecurityHeadersConfig;
  /** Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. Takes the place of the site's. */
  response_headers?: RouteResponseHeadersConfig;
  /** Files for error responses, by status or class ("5xx"). HTML, JSON and plain text may have placeholders, such as {request.id}. Takes the place of the site's. */
  error_pages?: Record<string, string>;
  /** Cache-Control of files, and of responses of upstreams where proxied says so. Takes the place of the site's. */
  cache?: RouteCacheConfig;
  /** Statuses of error responses of upstreams, such as [404, "5xx"], that get the page of error_pages in their place, or BWS's own error response. Takes the place of the site's. */
  intercept_errors?: StatusRange[];
}

/** `[sites.proxy.load_balancing]`. How pools choose. */
export interface LoadBalancingConfig {
  /** How a pool chooses the upstream of the next attempt. */
  method: string;
  /** For header_hash: the header whose value is the key. */
  header?: string;
  /** For uri_hash: whether the query belongs to the key, beside the path. */
  include_query?: boolean;
  /** For the hash policies: how many times the mean load an upstream may carry before keys overflow; 0 for no bound. */
  balance_factor?: number;
  /** How long an upstream that is available again takes to reach its full share of the load; 0 for no slow start. */
  slow_start: number;
  /** When no upstream of a pool is healthy: respond with 503, or use unhealthy ones. */
  when_all_unhealthy: "reject" | "try_anyway";
  /** For cookie: the cookie that binds a client to its upstream. */
  cookie?: CookieConfig;
}

/** `[sites.proxy.timeout]`. How long upstreams may take. */
export interface TimeoutConfig {
  /** Longest time to open a connection to an upstream; 0 is no limit. */
  connect: number;
  /** Longest time until the head of a response, and longest silence in its body; 0 is no limit. */
  read: number;
  /** Longest silence while a request is sent; 0 is no limit. */
  write: number;
  /** Longest time in which a client neither sends its body nor reads the response; 0 is no limit. */
  client: number;
  /** Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none. */
  min_upload_rate: number;
}

/** `[sites.proxy.headers]`. Changes to header fields. */
export interface HeadersConfig {
  /** Send X-Forwarded-For, -Proto and -Host upstream. */
  add_x_forwarded: boolean;
  /** Send the Forwarded header field of RFC 7239 upstream. */
  add_forwarded: boolean;
  /** Fields that are added in both directions. */
  add: Record<string, string>;
  /** Names of fields that are removed in both directions. */
  remove: string[];
  /** Changes to requests to upstreams. */
  request: RequestConfig;
  /** Changes to responses of upstreams. */
  response: ResponseConfig;
}

/** `[sites.proxy.connections]`. How connections to upstreams are kept and limited. */
export interface ConnectionsConfig {
  /** Maximum number of idle connections that are kept for an upstream. */
  max_idle: number;
  /** How long an idle connection is kept. */
  idle_timeout: number;
  /** Maximum number of exchanges on one HTTP/2 connection, if the upstream does not allow fewer; further exchanges get another connection. */
  max_streams: number;
  /** Silence of an HTTP/2 connection with exchanges after which a PING is sent; without a reply within 10 s it is closed. 0 sends none. */
  ping_interval: number;
  /** Maximum number of exchanges in flight at an upstream; 0 is no limit. */
  max_connections: number;
  /** Maximum number of queued requests while all upstreams are full. */
  queue_size: number;
  /** Maximum time of a request in the queue. */
  queue_timeout: number;
}

/** `[sites.proxy.websocket]`. Pings, timeouts and limits of WebSockets. */
export interface WebsocketConfig {
  /** Silence of a side after which it is pinged; 0 for no pings. */
  ping_interval: number;
  /** Longest time in which a side sends nothing, or reads nothing; 0 is no limit; without it, twice ping_interval. */
  idle_timeout: number;
  /** Bytes that may be queued for one side before the other is slowed down. With BWS's own listener at most 256 KiB, and the less the more all WebSockets of a worker have queued (64 MiB). */
  max_buffered: number;
  /** Largest message; a larger one closes the WebSocket. */
  max_message: number;
  /** How long WebSockets stay open when the server stops. */
  drain: number;
}

/** `[sites.proxy.health_check]`. How upstreams are probed; on when present. */
export interface HealthCheckConfig {
  /** Whether upstreams are probed. */
  enabled: boolean;
  /** Send a request, only open a connection, or ask by the gRPC health protocol, for which HTTP/2 is spoken. */
  kind: "http" | "tcp" | "grpc";
  /** Service to ask for with kind = "grpc"; the server as a whole without it. */
  service?: string;
  /** Path to request. */
  path: string;
  /** Method of the request. */
  method: string;
  /** Header fields of the request. */
  headers: Record<string, string>;
  /** Statuses of a healthy upstream, such as 200, "2xx" or ["200-299", 404]; 200 to 399 without it. */
  expect_status?: StatusRange[];
  /** Regular expression, without back references and looking ahead or behind, that the first 16 KiB of a healthy response's body match; plain text is found as it is, in the first 64 KiB. */
  expect_body?: string;
  /** Port to probe, where it is not the URL's. */
  port?: number;
  /** Time between two probes of an upstream; 10s without it. */
  interval: number;
  /** Longest time for one probe. */
  timeout: number;
  /** Good probes in a row after which an upstream is healthy. */
  healthy_after: number;
  /** State of an upstream before its first probe. */
  initial: "healthy" | "unhealthy";
  /** Bad probes in a row after which an upstream is not healthy. */
  unhealthy_after: number;
}

/** `[sites.proxy.passive_health]`. When upstreams that fail are ejected. */
export interface PassiveHealthConfig {
  /** Whether failures in live traffic eject an upstream for a while. */
  enabled: boolean;
  /** Failures in a row that eject. */
  max_fails: number;
  /** Failures further apart than this are not in a row. */
  fail_window: number;
  /** How long the first ejection lasts; each next one twice as long. */
  eject_for: number;
  /** Longest ejection. */
  max_eject_for: number;
  /** Share of a pool that may be ejected for its responses; an upstream that cannot be reached is always ejected. */
  max_ejected_percent: number;
  /** A response whose head takes longer is a failure. */
  slow_after?: number;
  /** Statuses that are failures, such as [502, 503, 504]; "5xx" is without 501, 505, 508 and 510, which a request causes. */
  fail_status: StatusRange[];
}

/** `[sites.proxy.circuit_breaker]`. A breaker per upstream; on when present. */
export interface CircuitBreakerConfig {
  /** Whether upstreams have a breaker. */
  enabled: boolean;
  /** Share of failed requests that opens it. */
  failure_ratio: number;
  /** Requests that the window must hold before it may open. */
  min_requests: number;
  /** Length of the window in which requests are counted. */
  window: number;
  /** How long it stays open before it lets trial requests through. */
  open_for: number;
  /** Trial requests at a time while half open; as many good ones close it. */
  trial_requests: number;
  /** A response whose head takes longer is slow. */
  slow_after?: number;
  /** Share of slow requests that opens it. */
  slow_ratio: number;
  /** Maximum number of exchanges in flight at an upstream, like connections.max_connections; the smaller one applies. 0 is no limit. */
  max_in_flight: number;
}

/** `[sites.proxy.retries]`. How requests are retried. */
export interface RetriesConfig {
  /** Maximum number of times that a request is sent. Upstreams that cannot be reached do not count: nothing was sent to them. */
  attempts: number;
  /** How long a request is retried while no upstream can be reached; 0 to try each upstream once. */
  try_for: number;
  /** Pause before a request goes to an upstream again, twice as long each time. */
  backoff: number;
  /** Longest pause. */
  max_backoff: number;
  /** Statuses after which a request with an idempotent method is retried, such as [502, 503, 504, 429]. */
  retry_on: StatusRange[];
  /** Request bodies up to this size are kept, to be sent again. */
  retry_buffer: number;
  /** Send X-BWS-Attempts to the client. */
  show_attempts: boolean;
  /** Retries for each request of the pool, as a share. */
  budget: number;
  /** Retries a second that are allowed whatever the traffic. */
  min_per_second: number;
}

/** `[sites.proxy.upstreams.tls]`. How to speak TLS with this upstream; for https:// only. */
export interface UpstreamTlsConfig {
  /** PEM file of certificates to trust in addition to the system's: authorities, or the upstream's own one. Beside cert_file they are the only ones. */
  ca_file?: string;
  /** PEM file of a certificate that is shown to the upstream, with its intermediate certificates behind it. */
  cert_file?: string;
  /** PEM file of the private key of cert_file. */
  key_file?: string;
  /** SHA-256 fingerprint of the upstream's certificate: this one alone is accepted, whoever issued it and whatever its names. */
  fingerprint?: string;
  /** Accept any certificate: a man in the middle can then read and change all traffic. */
  insecure_skip_verify: boolean;
  /** Name for SNI and for the check of the certificate, where it is not the URL's host. */
  server_name?: string;
}

/** `[sites.proxy.routes.timeout]`. How long this route may take; what it does not set is the proxy's. */
export interface RouteTimeoutConfig {
  /** Longest time to open a connection to an upstream; 0 is no limit. */
  connect?: number;
  /** Longest time until the head of a response, and longest silence in its body; 0 is no limit. */
  read?: number;
  /** Longest silence while a request is sent; 0 is no limit. */
  write?: number;
  /** Longest time in which a client neither sends its body nor reads the response; 0 is no limit. */
  client?: number;
  /** Lowest average rate of a request body in bytes a second, after 20 s in which the client was waited for; 0 is none. */
  min_upload_rate?: number;
}

/** `[sites.proxy.routes.retries]`. How requests of this route are retried; what it does not set is the proxy's. */
export interface RouteRetriesConfig {
  /** Maximum number of times that a request is sent. Upstreams that cannot be reached do not count: nothing was sent to them. */
  attempts?: number;
  /** How long a request is retried while no upstream can be reached; 0 to try each upstream once. */
  try_for?: number;
  /** Pause before a request goes to an upstream again, twice as long each time. */
  backoff?: number;
  /** Longest pause. */
  max_backoff?: number;
  /** Statuses after which a request with an idempotent method is retried, such as [502, 503, 504, 429]. */
  retry_on?: StatusRange[];
  /** Request bodies up to this size are kept, to be sent again. */
  retry_buffer?: number;
  /** Send X-BWS-Attempts to the client. */
  show_attempts?: boolean;
}

/** `[sites.proxy.routes.headers]`. Changes to header fields on this route; what it does not set is the proxy's, field by field. */
export interface RouteHeadersConfig {
  /** Send X-Forwarded-For, -Proto and -Host upstream. */
  add_x_forwarded?: boolean;
  /** Send the Forwarded header field of RFC 7239 upstream. */
  add_forwarded?: boolean;
  /** Fields that are added in both directions. */
  add?: Record<string, string>;
  /** Names of fields that are removed in both directions. */
  remove?: string[];
  /** Changes to requests to upstreams. */
  request?: RouteHeadersRequestConfig;
  /** Changes to responses of upstreams. */
  response?: RouteHeadersResponseConfig;
}

/** `[sites.proxy.routes.access_log]`. Lines of the access log; false for none, a text for another output. Takes the place of the site's. */
export interface RouteAccessLogConfig {
  /** Whether exchanges write a line; failures (5xx) do in any case. Default: logging.access, and true with an output of its own. */
  enabled?: boolean;
  /** Where the lines go, as output in [logging]. With an output of its own, failures are in the log of [logging], too. */
  output?: string;
  /** Form of a line: "json", "combined", "common", "w3c" (W3C extended, to a file of its own), or a text with placeholders. Default: logging.format. */
  format?: string;
  /** Fields of a line in "json" and "w3c": names of the fields of "json", or a table of names with a text with placeholders each. */
  fields?: string[] | Record<string, string>;
  /** Header fields of requests that are added to lines in "json" and "w3c"; none with secrets. */
  request_headers?: string[];
  /** Header fields of responses that are added to lines in "json" and "w3c"; none with secrets. */
  response_headers?: string[];
  /** Part of the lines that is written, from 0 to 1. Lines of status 400 and above, and of slow exchanges, always are. */
  sample?: number;
  /** Statuses whose lines are not written. */
  skip_status?: StatusRange[];
  /** Paths whose lines are not written, except for failures (5xx), as from in [[sites.redirects]], without a host. */
  skip_paths?: string[];
  /** Duration from which a line is always written, with the level "warn"; not for event streams and WebSockets. */
  slow?: number;
}

/** `[sites.proxy.routes.request_buffering]`. Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. Calls of gRPC are not buffered. true is a table without keys. Takes the place of the site's. */
export interface RouteRequestBufferingConfig {
  /** Whether bodies are read whole before an upstream is asked. */
  enabled: boolean;
  /** Largest body that is kept in memory; a larger one is kept in a file. */
  max_memory: number;
  /** Largest body that is taken; a larger one is refused with 413. */
  max_size: number;
  /** Most bytes in files, of all bodies of a worker together; a body beyond them is refused with 507. */
  max_total: number;
  /** Folder of the files, which have no name while they are used; without it, the system's for temporary files. */
  folder?: string;
}

/** `[sites.proxy.routes.cors]`. Which pages of other origins may read responses. Takes the place of the site's. */
export interface RouteCorsConfig {
  /** Origins whose pages may read responses: "https://app.example.com", "https://*.example.com" for all hosts below one, "*" for every origin, or "~" and a regular expression that the whole origin matches. */
  origins: string[];
  /** Methods that such pages may use. */
  methods: string[];
  /** Header fields that such pages may send, besides the simple ones; "*" for all that are asked for. */
  headers: string[] | "*";
  /** Header fields of responses that such pages may read, besides the simple ones. */
  exposed_headers: string[];
  /** Whether cookies and other credentials are sent along. Not with "*": every page of the web could act as its visitor. */
  credentials: boolean;
  /** How long browsers may keep the response to a preflight; 0 for not at all. */
  max_age: number;
  /** Whether public pages may ask a server of a private network (Access-Control-Allow-Private-Network). */
  private_network: boolean;
}

/** `[sites.proxy.routes.access]`. Which addresses of clients are let in. Takes the place of the site's. */
export interface RouteAccessConfig {
  /** Rules in their order, such as "deny 10.0.0.13", "allow 10.0.0.0/8", "deny all": the first one that fits decides. They are looked at before the lists below. */
  rules: string[];
  /** Addresses and networks that are refused. */
  deny: string[];
  /** Addresses and networks that are let in. With this key, or allow_file, all others are refused. */
  allow: string[];
  /** A file with addresses and networks that are refused, one a line, # before a comment. Read again when it changes. */
  deny_file?: string;
  /** A file with addresses and networks that are let in. */
  allow_file?: string;
  /** What those who are refused get: 403, or nothing: the connection is closed. */
  action: "forbid" | "drop";
}

/** `[sites.proxy.routes.maintenance]`. Maintenance: every request gets 503, with the error page for it. true is a table without keys. Takes the place of the site's. */
export interface RouteMaintenanceConfig {
  /** Whether the site is in maintenance. */
  enabled: boolean;
  /** Addresses and networks of clients that still pass. */
  allow: string[];
  /** Retry-After of the response; 0 for no field. */
  retry_after: number;
}

/** `[sites.proxy.routes.rate_limit]`. How many requests are let through. Takes the place of the site's. */
export interface RouteRateLimitConfig {
  /** Whether the limit holds. */
  enabled: boolean;
  /** Requests that are let through in the long run, such as "5/s", "100/m" or "10/30s"; each one above gets 429. */
  rate?: string;
  /** Requests that may be under way at a time, with their responses and as WebSockets; each one above gets 429. */
  max_in_flight?: number;
  /** Requests that may come at once after a pause; default: those of one second, at least 1. */
  burst?: number;
  /** What is counted by itself: "address" of the client (IPv6 by /64), "user" of basic_auth, jwt or forward_auth, "header:NAME", "cookie:NAME" (a request without it counts by address), or "route" for all clients together. */
  key: string;
  /** Addresses and networks that are not limited. */
  exempt: string[];
  /** How many keys are remembered; of more, those are forgotten whose last request is longest ago. 8 bytes each, for all workers. */
  max_keys: number;
  /** Whether the limit is only logged. */
  dry_run: boolean;
}

/** `[sites.proxy.routes.basic_auth]`. Users and passwords by HTTP authentication. Takes the place of the site's. */
export interface RouteBasicAuthConfig {
  /** Whether passwords are asked for. */
  enabled: boolean;
  /** Users and the hashes of their passwords, as `bws hash-password` makes them. */
  users: Record<string, string>;
  /** A file of users and hashes in the format of htpasswd. Read again when it changes. */
  users_file?: string;
  /** What browsers show when they ask for the password. */
  realm: string;
  /** Field in which upstreams get the user's name; one that a client sends is removed. */
  user_header?: string;
  /** Whether upstreams get the Authorization field. */
  forward_credentials: boolean;
  /** Passwords that one address may try in a minute; right ones are remembered, and do not count again. */
  attempts_per_minute: number;
}

/** `[sites.proxy.routes.jwt]`. Bearer tokens that are JWTs. Takes the place of the site's. */
export interface RouteJwtConfig {
  /** Whether tokens are asked for. */
  enabled: boolean;
  /** Where the issuer has its keys (JWKS). They are fetched at the start, again after jwks_refresh, and when a token names a key that is not known; while they cannot be fetched, the earlier ones hold. */
  jwks_url?: string;
  /** How long fetched keys hold before they are fetched again. */
  jwks_refresh: number;
  /** Shortest time between two fetches, whatever keys tokens name and whether a fetch failed. */
  jwks_cooldown: number;
  /** PEM file of certificates to trust in addition to the system's, for jwks_url with https://. */
  ca_file?: string;
  /** A file of public keys: PEM (also certificates), a JWK or a JWKS. */
  key_file?: string;
  /** The same as text in the config. */
  public_key?: string;
  /** A file with the shared secret of HS256, HS384 and HS512, at least 32 bytes; line breaks at its end do not count. */
  secret_file?: string;
  /** The same as text, best as ${NAME}. */
  secret?: string;
  /** Algorithms of signatures that are accepted; default: those that the keys are for. none is never. */
  algorithms?: string[];
  /** Values of iss that are accepted; default: any. */
  issuer: string[];
  /** Values of which aud must have one; default: any. */
  audience: string[];
  /** How far the clocks of issuer and server may differ. */
  leeway: number;
  /** Whether tokens without exp are refused, which hold for ever. */
  require_exp: boolean;
  /** Claims of which a token must have one of the values; 403 otherwise. Of lists one member counts, of scope and scp one word; a name with dots leads into objects. */
  require: Record<string, string[]>;
  /** Fields in which upstreams get claims; those that a client sends are removed, in any spelling. Lists are joined by commas. */
  claim_headers: Record<string, string>;
  /** Claim with the user's name, for the access log and limits by user. */
  user_claim: string;
  /** A cookie that may have the token in place of Authorization. */
  cookie?: string;
  /** A parameter of the query that may have the token, as for WebSockets of browsers. Queries stand in logs. */
  query?: string;
  /** Whether upstreams get the Authorization field. */
  forward_token: boolean;
  /** realm in WWW-Authenticate. */
  realm: string;
}

/** `[sites.proxy.routes.forward_auth]`. A service that decides which requests pass. Takes the place of the site's. */
export interface RouteForwardAuthConfig {
  /** Whether the service is asked. */
  enabled: boolean;
  /** What is asked with GET before each request: http://, https:// or unix:/path.sock:/path. A status of 2xx lets the request pass. */
  url?: string;
  /** Fields of the service's response with 2xx that upstreams get; those that a client sends are removed, in any spelling. */
  copy_headers: string[];
  /** Field of the response with the user's name, for the access log and for limits by user. */
  user_header?: string;
  /** Whether clients get the cookies that the service sets with 2xx. Those of other responses they get in any case. */
  forward_cookies: boolean;
  /** Longest time for a response of the service; after it the request gets 503. */
  timeout: number;
  /** Largest body of a response of the service; with a larger one the request gets 502. */
  max_response: number;
  /** Most questions to the service at a time, in each worker; further requests get 503. */
  max_in_flight: number;
  /** How long a 2xx holds for further requests with the same Cookie and Authorization, from the same address; 0 is not at all. */
  cache: number;
  /** Whether a 2xx that is kept holds for the same method, host and URI alone, or for all: only for services that look at none of these. */
  cache_by: "credentials" | "uri";
  /** PEM file of certificates to trust in addition to the system's, for https://. */
  ca_file?: string;
}

/** `[sites.proxy.routes.compression]`. Compression of responses. Takes the place of the site's. */
export interface RouteCompressionConfig {
  /** Whether responses are compressed. */
  enabled: boolean;
  /** Content codings; where a client likes several alike, the first one is used. */
  algorithms: ("zstd" | "br" | "gzip")[];
  /** 1 is quick, 9 is small; default: 5 for gzip, 4 for br, 3 for zstd. Each level above takes more processor time. */
  level?: number;
  /** Smallest response that is compressed, where its size is known. */
  min_size: number;
  /** Media types that are compressed. */
  types: string[];
  /** Prefixes of the paths whose responses are compressed; all where there are none. */
  paths: string[];
  /** Whether responses over https that set cookies are compressed. Not where a page repeats what a request says beside a secret: its size would tell the secret (BREACH). */
  cookies: boolean;
}

/** `[sites.proxy.routes.security_headers]`. Header fields that protect pages in browsers. true is a table without keys. Takes the place of the site's. */
export interface RouteSecurityHeadersConfig {
  /** X-Content-Type-Options: nosniff. */
  content_type_options: boolean;
  /** X-Frame-Options: which pages may show this one in a frame; false for no field. */
  frame_options: false | "DENY" | "SAMEORIGIN";
  /** Referrer-Policy; false for no field. */
  referrer_policy:
    | false
    | "origin"
    | "no-referrer"
    | "no-referrer-when-downgrade"
    | "origin-when-cross-origin"
    | "same-origin"
    | "strict-origin"
    | "strict-origin-when-cross-origin"
    | "unsafe-url";
  /** Strict-Transport-Security of a year on responses over https; hsts of the site is the table with all keys. */
  hsts: boolean;
  /** Content-Security-Policy, as given. */
  content_security_policy?: string;
  /** Permissions-Policy, as given. */
  permissions_policy?: string;
  /** Cross-Origin-Opener-Policy, as given. */
  cross_origin_opener_policy?: string;
  /** Whether Server and X-Powered-By of upstreams are removed. */
  hide_server_header: boolean;
}

/** `[sites.proxy.routes.response_headers]`. Changes to the header fields of every response, also those that BWS makes. They come after [sites.headers] and headers.response of the proxy; those of a route after those of its site. Takes the place of the site's. */
export interface RouteResponseHeadersConfig {
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
  /** Changes to responses of some statuses, in their order, after the others. */
  when: RouteResponseHeadersWhenConfig[];
}

/** `[sites.proxy.routes.cache]`. Cache-Control of files, and of responses of upstreams where proxied says so. Takes the place of the site's. */
export interface RouteCacheConfig {
  /** Value of Cache-Control for every file. */
  control?: string;
  /** How long caches may keep a file: "public, max-age=N". */
  max_age?: number;
  /** What becomes of responses of upstreams to GET and HEAD: "keep" leaves them alone, "missing" gives those a Cache-Control that have none (but none that sets a cookie, or is for a user), "replace" gives it to all. By default "keep" on a site, and "missing" on a route. */
  proxied?: "keep" | "replace" | "missing";
  /** Values for some files; the first rule that fits wins, with path and extensions where it has both. */
  rules: RouteCacheRuleConfig[];
}

/** `[sites.proxy.load_balancing.cookie]`. For cookie: the cookie that binds a client to its upstream. */
export interface CookieConfig {
  /** Name of the cookie; where a site has several pools, a mark of the pool follows it. */
  name?: string;
  /** Signs the cookies, so that they are valid after a restart and on several proxies; random without it. */
  secret?: string;
  /** Path below which clients send the cookie. */
  path?: string;
  /** Domain whose hosts get the cookie; without it, the host that set it. */
  domain?: string;
  /** How long clients keep the cookie; without it, until the browser is closed. */
  max_age?: number;
  /** Send it over TLS only; "auto" where the client came over TLS. */
  secure?: boolean | "auto";
  /** Hide it from scripts. */
  http_only?: boolean;
  /** Which requests from other sites carry it; none needs secure = true. */
  same_site?: "lax" | "strict" | "none";
  /** Policy for clients without a cookie, or whose upstream is not available. */
  fallback?:
    | "round_robin"
    | "weighted"
    | "least_connections"
    | "weighted_round_robin"
    | "random"
    | "power_of_two"
    | "first"
    | "least_time"
    | "ip_hash"
    | "uri_hash"
    | "header_hash"
    | "cookie";
}

/** `[sites.proxy.headers.request]`. Changes to requests to upstreams. */
export interface RequestConfig {
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
}

/** `[sites.proxy.headers.response]`. Changes to responses of upstreams. */
export interface ResponseConfig {
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
}

/** `[sites.proxy.routes.headers.request]`. Changes to requests to upstreams. */
export interface RouteHeadersRequestConfig {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /** Names of fields that are removed. */
  remove?: string[];
}

/** `[sites.proxy.routes.headers.response]`. Changes to responses of upstreams. */
export interface RouteHeadersResponseConfig {
  /** Fields that replace all fields of their name. */
  set?: Record<string, string>;
  /** Fields that are added to those of their name. */
  add?: Record<string, string>;
  /** Names of fields that are removed. */
  remove?: string[];
}

/** `[sites.proxy.routes.response_headers.when]`. Changes to responses of some statuses, in their order, after the others. */
export interface RouteResponseHeadersWhenConfig {
  /** Statuses, such as 404, "5xx" or ["2xx", 304]. */
  status: StatusRange[];
  /** Fields that replace all fields of their name. */
  set: Record<string, string>;
  /** Fields that are added to those of their name. */
  add: Record<string, string>;
  /** Names of fields that are removed. */
  remove: string[];
}

/** `[[sites.proxy.routes.cache.rules]]`. Values for some files; the first rule that fits wins, with path and extensions where it has both. */
export interface RouteCacheRuleConfig {
  /** Prefix of the paths that the rule is for. */
  path?: string;
  /** Extensions of the files that the rule is for, with or without a dot. */
  extensions?: string[];
  /** Value of Cache-Control. */
  control: string;
}
