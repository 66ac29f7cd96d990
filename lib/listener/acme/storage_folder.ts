/**
 * Where certificates, accounts and the local authority are kept if the config does not say.
 *
 * @module
 */

/** Reads a variable of the environment. */
type ReadVariable = (name: string) => string | undefined;

/**
 * The folder of this user: that of the service where systemd has made one, else one below the folder for data of programs.
 *
 * @throws {Error} When neither is known.
 */
export function storageFolder(
  read: ReadVariable = (name) => Deno.env.get(name),
  os: typeof Deno.build.os = Deno.build.os,
): string {
  const variable = (name: string) => {
    const value = read(name);
    return value === undefined || value === "" ? undefined : value;
  };
  // systemd gives several folders, with colons between them.
  const state = variable("STATE_DIRECTORY")?.split(":")[0];
  if (state !== undefined) return state;
  const home = variable("HOME") ?? variable("USERPROFILE");
  if (os === "windows") {
    const data = variable("LOCALAPPDATA");
    if (data !== undefined) return `${data}/bws`;
  }
  const data = variable("XDG_DATA_HOME");
  if (data !== undefined) return `${data}/bws`;
  if (home === undefined) throw new Error("Cannot find a folder for certificates: set acme.storage, or HOME");
  return os === "darwin" ? `${home}/Library/Application Support/bws` : `${home}/.local/share/bws`;
}
