/**
 * The commands of `bws`.
 *
 * @module
 */

import type { Command, Flag } from "./command.ts";

/** Flags that every command has. */
export const SHARED_FLAGS: readonly Flag[] = [
  { name: "help", short: "h", help: "Show this help" },
  { name: "version", short: "V", help: "Show the version" },
];

const LENIENT: Flag = { name: "lenient", help: "Only warn of keys that are not known: what they ask for is not done" };

/** The default command. */
export const DEFAULT_COMMAND = "run";

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  {
    name: "run",
    usage: "[run] [CONFIG]",
    summary: "Run the sites of a config file",
    details: [
      "Reads CONFIG (./config.toml without one), opens its ports and serves until it is",
      "told to stop. Ctrl-C or SIGTERM lets exchanges under way end within",
      "server.shutdown_timeout; a second one ends at once. SIGHUP reads CONFIG again;",
      "a config that is refused changes nothing.",
    ],
    maxPositionals: 1,
    flags: [
      { name: "config", short: "c", value: "CONFIG", help: "The config file, as an alternative to CONFIG" },
      { name: "watch", short: "w", help: "Read CONFIG again whenever it changes" },
      LENIENT,
    ],
    examples: [
      ["bws", "run ./config.toml"],
      ["bws sites.toml", "run another file"],
    ],
    load: async () => (await import("./run_command.ts")).runCommand,
  },
  {
    name: "init",
    usage: "init [CONFIG] [--root DIR] [--upstream URL…] [--hostname NAME] [--port PORT]",
    summary: "Write a config file, by a few questions or by flags",
    details: [
      "Asks what is served, where the application listens, the host name, the port and",
      "whether there is a dashboard, and proposes what it finds in this folder. What",
      "flags say is not asked. A file that is there is kept, and nothing is written",
      "before the last answer. Without a terminal nothing is asked.",
    ],
    maxPositionals: 1,
    flags: [
      { name: "root", short: "r", value: "DIR", help: "Folder whose files are served" },
      { name: "spa", help: "The files are a single-page application" },
      {
        name: "upstream",
        short: "u",
        value: "URL",
        many: true,
        help: "Where the application listens; several share the load",
      },
      { name: "path", value: "PATH", many: true, help: "A path of the application, beside --root (/api/)" },
      { name: "health", value: "PATH", help: "Path that says whether the application is healthy" },
      { name: "hostname", value: "NAME", help: "Host name (any)" },
      {
        name: "port",
        short: "p",
        value: "PORT",
        help: "Port (443, which is HTTPS, for a public host name, else 8080)",
      },
      { name: "dashboard", help: "With dashboard, API and metrics on 127.0.0.1:7654" },
      {
        name: "output",
        short: "o",
        value: "CONFIG",
        help: "The file to write, as an alternative to CONFIG (./config.toml)",
      },
      { name: "force", help: "Replace the file, if it is there" },
      { name: "yes", short: "y", help: "Ask nothing: take what is found or usual" },
    ],
    examples: [
      ["bws init", "by questions"],
      ["bws init --yes", "what is found in this folder"],
      ["bws init --hostname example.com --upstream :3000", "HTTPS in front of localhost:3000"],
      ["bws init --root dist --spa --upstream :3000", "files, and an application below /api/"],
    ],
    load: async () => (await import("./init_command.ts")).initCommand,
  },
  {
    name: "check",
    usage: "check [CONFIG…]",
    summary: "Check a config file, without running it",
    details: [
      "Lists every problem with its line and what was expected. Ends with 0 when the",
      "file would run, else with 1. Tries what a start would need, as this user: that",
      "files and folders can be read and the log be written; with --ports, that ports",
      "can be opened, which those of a running server cannot.",
    ],
    maxPositionals: Infinity,
    flags: [
      { name: "config", short: "c", value: "CONFIG", help: "The config file, as an alternative to CONFIG" },
      { name: "strict", help: "Refuse what would only be warned of" },
      LENIENT,
      { name: "ports", short: "p", help: "Try whether its ports can be opened, too" },
    ],
    examples: [
      ["bws check sites.toml", "what is wrong, and where it would listen"],
      ["bws check --strict sites.toml", "for continuous integration"],
      ["bws check --ports sites.toml", "before the first start on a machine"],
    ],
    load: async () => (await import("./check_command.ts")).checkCommand,
  },
  {
    name: "explain",
    usage: "explain [METHOD] URL [--config CONFIG] [--header LINE…]",
    summary: "Explain how a request would be handled, and why",
    details: [
      "Shows the site and the route that take the request and why no other does, what",
      "goes upstream, the pool and its upstreams, or the file that would be served, and",
      "the settings that hold. URL may be a path alone. Sends nothing and needs no",
      "running server; GET /api/explain of the management API explains the same for one.",
    ],
    maxPositionals: 2,
    flags: [
      { name: "config", short: "c", value: "CONFIG", help: "The config file (./config.toml)" },
      { name: "header", short: "H", value: "LINE", many: true, help: 'A header field of the request, "Name: value"' },
      { name: "client", value: "ADDRESS", help: "Where the request comes from (127.0.0.1)" },
      { name: "json", help: "Print all of it as JSON" },
    ],
    examples: [
      ["bws explain http://shop.example:8080/api/users", "a GET"],
      ["bws explain POST /api/users -H 'Host: shop.example'", "a path, and the host beside it"],
    ],
    load: async () => (await import("./explain_command.ts")).explainCommand,
  },
  {
    name: "proxy",
    usage: "proxy --to URL [--to URL…] [--from [HOST]:PORT]",
    summary: "Proxy one port to upstreams, without a config file",
    details: ["Everything goes to the upstreams, WebSocket included."],
    maxPositionals: 0,
    flags: [
      { name: "from", short: "f", value: "[HOST]:PORT", help: "Where to listen (:8080)" },
      { name: "to", short: "t", value: "URL", many: true, help: "An upstream; several share the load" },
      { name: "policy", short: "p", value: "NAME", help: "How they share it (round_robin)" },
      { name: "change-host", help: "Send the host of URL upstream, not the client's" },
    ],
    examples: [
      ["bws proxy --to http://127.0.0.1:3000", "localhost:8080 → localhost:3000"],
      ["bws proxy -f :9000 -t :3001 -t :3002 -p least_connections", "the least busy of two"],
    ],
    load: async () => (await import("./proxy_command.ts")).proxyCommand,
  },
  {
    name: "files",
    usage: "files [DIR] [--port PORT] [--browse]",
    summary: "Serve the files of a folder, without a config file",
    details: ["Serves DIR (this folder without one). Names that begin with a dot stay hidden."],
    maxPositionals: 1,
    flags: [
      { name: "port", short: "p", value: "PORT", help: "Port to listen on (8080)" },
      { name: "browse", short: "b", help: "List folders that have no index.html" },
    ],
    examples: [["bws files ./public --browse", "http://localhost:8080"]],
    load: async () => (await import("./files_command.ts")).filesCommand,
  },
  {
    name: "health",
    usage: "health [URL] [--config CONFIG] [--timeout TIME]",
    summary: "Ask a running server whether it is ready",
    details: [
      "Prints one line and ends with 0 when the server is ready, else with 1; for",
      "containers without curl. URL is that of a site; without it the first site of",
      "CONFIG that has /api/health/ready is asked, on this machine.",
    ],
    maxPositionals: 1,
    flags: [
      { name: "config", short: "c", value: "CONFIG", help: "The config of the server (./config.toml)" },
      { name: "live", help: "Ask only whether it runs, whatever its upstreams do" },
      { name: "timeout", short: "t", value: "TIME", help: "Longest wait, such as 500ms (2s)" },
    ],
    examples: [
      ["bws health", "the server of ./config.toml"],
      ["bws health http://127.0.0.1:8080", "a server by its address"],
    ],
    load: async () => (await import("./health_command.ts")).healthCommand,
  },
  {
    name: "top",
    usage: "top [--url URL] [--key KEY] [--once]",
    summary: "Watch a running server in the terminal",
    details: [
      "Shows what is wrong, the figures and all upstreams, live; keys drain and resume",
      "them. Needs enabled = true in [management] of the server's config. Without a",
      "terminal it prints one table, as with --once.",
    ],
    maxPositionals: 0,
    flags: [
      { name: "url", short: "u", value: "URL", help: "The management listener (http://127.0.0.1:7654)" },
      { name: "key", short: "k", value: "KEY", help: "Its API key; BWS_API_KEY without it" },
      { name: "once", help: "Print one table and end" },
    ],
    examples: [["bws top", "the server on this machine"], ["bws top --once", "one table, for scripts"]],
    load: async () => (await import("./top/top_command.ts")).topCommand,
  },
  {
    name: "trust",
    usage: "trust [--config CONFIG] [--print | --uninstall]",
    summary: "Trust the local authority, which issues certificates for localhost",
    details: [
      'Sites with tls = "internal", and those of localhost, have certificates of an',
      "authority that BWS makes and keeps (acme.storage). This makes the programs of",
      "a Debian machine trust it, and says what to do elsewhere and in browsers.",
    ],
    maxPositionals: 0,
    flags: [
      { name: "config", short: "c", value: "CONFIG", help: "The config file (./config.toml, if it is there)" },
      { name: "print", help: "Write its certificate in PEM, and change nothing" },
      { name: "uninstall", help: "Trust it no longer" },
    ],
    examples: [
      ["bws trust", "on a machine for development"],
      ["bws trust --print > bws.crt", "for another machine, or a browser"],
    ],
    load: async () => (await import("./trust_command.ts")).trustCommand,
  },
  {
    name: "hash-password",
    usage: "hash-password [--bcrypt]",
    summary: "Make the hash of a password, for basic_auth",
    details: [
      "Asks for a password, or takes the first line of the standard input, and prints",
      "its hash: argon2id, or bcrypt for files that other servers read, too.",
    ],
    maxPositionals: 0,
    flags: [{ name: "bcrypt", help: "bcrypt in place of argon2id" }],
    examples: [["bws hash-password", 'for users = { ann = "…" } in [sites.basic_auth]']],
    load: async () => (await import("./hash_password_command.ts")).hashPasswordCommand,
  },
  {
    name: "demo",
    usage: "demo [--port PORT]",
    summary: "Watch three balancing policies at work in the browser",
    details: [
      "Starts three sample upstreams, a proxy before them, and a page that shows which",
      "of them responds, live, and lets you stop one. A second page does the same for",
      "WebSockets. Needs nothing but itself.",
    ],
    maxPositionals: 0,
    flags: [{ name: "port", short: "p", value: "PORT", help: "Port to listen on (8080, or the next that is free)" }],
    examples: [["bws demo", "then open the address that it prints"]],
    load: async () => (await import("./demo_command.ts")).demoCommand,
  },
  {
    name: "schema",
    usage: "schema",
    summary: "Print the JSON Schema of config files, for editors",
    details: ["Editors use it to complete and to check config files."],
    maxPositionals: 0,
    flags: [],
    examples: [[
      "bws schema > bws.schema.json",
      "then begin a config with #:schema bws.schema.json",
    ]],
    load: async () => (await import("./schema_command.ts")).schemaCommand,
  },
];

/** The command called `name`. */
export function commandNamed(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
