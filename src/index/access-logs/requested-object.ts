import { tryCidKey } from "#index/cid-key.ts";

/**
 * Which object a path in a log names: the CID of `/ipfs/<cid>/…`, the CID that a backend of this
 * engine stores content under (`…/<cid>`, `…/<cid>.car`), else the path itself below the prefix.
 */
export function requestedObject(path: string, prefix: string): string {
  const parts = path.split("/");
  const candidate = parts[1] === "ipfs" ? parts[2] : parts.at(-1)?.replace(/\.car$/, "");
  if (candidate !== undefined && isCid(candidate)) return candidate;
  return `${prefix}${path.startsWith("/") ? path : `/${path}`}`;
}

/** The CID of a subdomain gateway, `<cid>.ipfs.<domain>`, if the host is of one. */
export function cidOfHost(host: string): string | undefined {
  const [first = "", second] = host.split(".");
  return second === "ipfs" && isCid(first) ? first : undefined;
}

/** Percent-encoded text as it was meant; undefined when it is not sound. */
export function decodePath(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The path of a request target, as it was sent: without query, scheme and host. */
export function pathOfTarget(target: string): string {
  const [path = ""] = target.replace(/^https?:\/\/[^/]*/, "").split(/[?#]/, 1);
  return path === "" ? "/" : path;
}

/** Whether decoding once left something encoded: some servers encode what came encoded. */
export function isEncoded(text: string): boolean {
  return /%[0-9A-Fa-f]{2}/.test(text);
}

function isCid(text: string): boolean {
  // Everything that parses has at least this length; most path parts are turned away here.
  return text.length >= 46 && tryCidKey(text) !== undefined;
}
