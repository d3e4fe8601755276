import { EngineError } from "#model/engine-error.ts";

// The kernel's limit is 104 to 108 bytes with the closing zero, depending on the system.
const socketPathBytesMax = 103;

/** Where a server listens or a client calls. */
export type Address =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly protocol: "http:" | "https:"; host: string; port: number };

/** Parses `unix:/path`, `host:port`, `[::1]:port` or a URL with http or https. */
export function parseAddress(text: string): Address {
  if (text.startsWith("unix:")) return parseSocketPath(text.slice("unix:".length));
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new EngineError("USAGE", `"${text}" is not an address`, {
      hint: "write unix:/path/to/socket, 127.0.0.1:7411 or https://host",
    });
  }
  const { protocol, hostname, port } = url;
  const usual = protocol === "https:" ? 443 : 80;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { kind: "tcp", protocol, host, port: port === "" ? usual : Number(port) };
}

/** The text form of an address; `parseAddress` reads it back. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${address.protocol}//${host}:${address.port}`;
}

/**
 * The address a controller listens on unless told otherwise: a socket that only its owner can
 * open, or a free loopback port where the path would be too long or the system has no sockets.
 */
export function defaultListen(socketPath: string, platform: string = process.platform): string {
  const fits = Buffer.byteLength(socketPath) <= socketPathBytesMax;
  return fits && platform !== "win32" ? `unix:${socketPath}` : "127.0.0.1:0";
}

function parseSocketPath(path: string): Address {
  const bytes = Buffer.byteLength(path);
  if (!path.startsWith("/") || bytes > socketPathBytesMax) {
    throw new EngineError("USAGE", `"${path}" cannot be the path of a socket`, {
      hint: `use an absolute path of at most ${socketPathBytesMax} bytes, or 127.0.0.1:0`,
    });
  }
  return { kind: "unix", path };
}
