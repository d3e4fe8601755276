import { judgeRequest } from "#index/access-logs/judge-request.ts";
import { logTime } from "#index/access-logs/log-time.ts";
import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";
import {
  decodePath,
  isEncoded,
  pathOfTarget,
  requestedObject,
} from "#index/access-logs/requested-object.ts";

/**
 * Owner, bucket, [time], address, requester, request id, operation, key, "request", status, error
 * code, bytes sent, object size, total time, turn-around time, "referrer", "agent", version id, …
 * (Amazon S3 User Guide, "Amazon S3 server access log format"; more fields may follow).
 */
const lineForm = new RegExp(
  String.raw`^\S+ \S+ \[([^\]]+)\] \S+ \S+ \S+ (\S+) (\S+) (?:"([^"]*)"|-) (\d{3}|-) \S+ ` +
    String.raw`(\d+|-) (\d+|-) (?:\d+|-) (?:\d+|-)(?: (?:"[^"]*"|-) (?:"([^"]*)"|-))?(?: |$)`,
);

/** Whether a line begins as one of an S3 server access log does. */
export const s3Beginning = /^\S+ \S+ \[[^\]]+\] \S+ \S+ \S+ (REST|SOAP|WEBSITE|BATCH|S3|S3M)\.\S+ /;

/** Reads one line of an S3 server access log; a ranged read counts its share of the object. */
export function parseS3Line(line: string, prefix: string): ParsedAccess {
  const fields = lineForm.exec(line);
  if (fields === null) return { problem: "not a line of an S3 server access log" };
  const [, time = "", operation = "", key = "", request, status = "", sent, size, agent] = fields;
  const isRead = operation === "REST.GET.OBJECT" || operation === "WEBSITE.GET.OBJECT";
  const other = judgeRequest(isRead ? "GET" : operation, status, agent);
  if (other !== undefined) return other;
  const at = logTime(time);
  if (at === undefined) return { problem: `"${time}" is no time` };
  const name = nameOfKey(key, request);
  if (name === undefined) return { problem: `the key ${key} is not percent-encoded soundly` };
  const [bytesSent, objectBytes] = [Number(sent), Number(size)];
  const isShare = status === "206" && bytesSent < objectBytes;
  const object = requestedObject(name, prefix);
  return { access: { object, at, weight: isShare ? bytesSent / objectBytes : 1 } };
}

/**
 * Keys are logged encoded twice where the client had encoded them already. What it sent stands
 * in the request, so that a key with a percent sign of its own is not taken for another.
 */
function nameOfKey(key: string, request: string | undefined): string | undefined {
  const once = decodePath(key);
  if (once === undefined || !isEncoded(once)) return once;
  const sent = decodePath(pathOfTarget(request?.split(" ")[1] ?? ""));
  const twice = decodePath(once);
  return twice !== undefined && sent?.endsWith(`/${twice}`) === true ? twice : once;
}
