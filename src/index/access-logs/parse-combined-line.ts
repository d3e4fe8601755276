import { judgeRequest } from "#index/access-logs/judge-request.ts";
import { logTime } from "#index/access-logs/log-time.ts";
import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";
import { decodePath, pathOfTarget, requestedObject } from "#index/access-logs/requested-object.ts";

/**
 * Address, identity, user, [time], "request", status, bytes, and mostly "referrer" "agent": the
 * Common Log Format and the format `combined` of nginx (ngx_http_log_module) and Apache, as
 * gateways write it too; more fields may follow.
 */
const lineForm = new RegExp(
  String.raw`^\S+ \S+ .*?\[([^\]]+)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?= |$)` +
    String.raw`(?: "(?:[^"\\]|\\.)*" "((?:[^"\\]|\\.)*)")?`,
);

/** Whether a line begins as one of the combined format does. */
export const combinedBeginning = /^\S+ \S+ .*?\[[^\]]+\] "(?:[^"\\]|\\.)*" \d{3} (\d+|-)( |$)/;

/**
 * Reads one line of a web server's or gateway's log. A ranged read counts its share of the
 * object's bytes as the index knows them, for the log does not say how large the object is.
 */
export function parseCombinedLine(line: string, prefix: string): ParsedAccess {
  const fields = lineForm.exec(line);
  if (fields === null) return { problem: "not a line of a log in combined format" };
  const [, time = "", request = "", status = "", sent = "", agent] = fields;
  const [method = "", target] = request.split(" ");
  const other = judgeRequest(method, status, agent);
  if (other !== undefined) return other;
  const at = logTime(time);
  if (at === undefined) return { problem: `"${time}" is no time with its zone` };
  const path = target === undefined ? undefined : decodePath(pathOfTarget(unescaped(target)));
  if (path === undefined) return { problem: `"${request}" names no sound path` };
  const share = status === "206" && sent !== "-" ? { bytes: Number(sent) } : {};
  return { access: { object: requestedObject(path, prefix), at, weight: 1, ...share } };
}

/** nginx writes the bytes of quotes, backslashes and non-ASCII characters as `\xHH`. */
function unescaped(target: string): string {
  return target.replaceAll(/\\x([0-9A-Fa-f]{2})/g, "%$1");
}
