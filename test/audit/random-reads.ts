import * as fc from "fast-check";
import type { AccessLogFormat } from "#model/access-log.ts";
import { s3Line } from "../index/access-log-lines.ts";
import { cidOf } from "../index/open-index.ts";

/** A log of random requests, as lines. */
export interface RandomLog {
  readonly format: AccessLogFormat;
  readonly lines: readonly string[];
}

interface Request {
  readonly object: number;
  readonly byCid: boolean;
  readonly secondsAgo: number;
  readonly zone: number;
  readonly method: string;
  readonly status: number;
  readonly share: number;
  readonly agent: string;
}

const request = fc.record({
  // A few objects are read often and some are not in the index at all.
  object: fc.oneof(fc.nat(9), fc.nat(objectCount() + 9)),
  byCid: fc.boolean(),
  secondsAgo: fc.integer({ min: -3_600, max: 60 * 86_400 }),
  zone: fc.constantFrom(0, 2, -7),
  method: fc.constantFrom("GET", "GET", "GET", "GET", "HEAD", "PUT"),
  status: fc.constantFrom(200, 200, 200, 206, 206, 304, 404),
  share: fc.constantFrom(0, 0.1, 0.5, 0.999, 1, 3),
  agent: fc.constantFrom("curl/8", "Mozilla/5.0 (X11)", "aws-sdk-js/3 thermocline"),
});

/** How many objects the index has. */
export function objectCount(): number {
  return 60;
}

export function nameOf(object: number): string {
  return `/data/été ${object}%.bin`;
}

export function sizeOf(object: number): number {
  return 1_000 + object;
}

/** The same logs for the same seed. */
export function randomLogs(seed: number, now: Date, linesEach: number): readonly RandomLog[] {
  const formats = Object.keys(writers) as AccessLogFormat[];
  return formats.map((format, at) => {
    const requests = fc.sample(request, { seed: seed * 10 + at, numRuns: linesEach });
    const lines = requests.map((one) => writers[format](one, now));
    lines.splice(linesEach / 2, 0, "", "noise that no format knows");
    return { format, lines: format === "cloudfront" ? ["#Version: 1.0", fields, ...lines] : lines };
  });
}

const fields =
  "#Fields: date time cs-method cs-uri-stem sc-status sc-bytes cs(User-Agent) x-host-header " +
  "sc-range-start sc-range-end";

const writers: Readonly<Record<AccessLogFormat, (request: Request, now: Date) => string>> = {
  ndjson: ({ object, byCid, share, ...rest }, now) => {
    const at = new Date(now.getTime() - rest.secondsAgo * 1_000).toISOString();
    const what = byCid ? { cid: cidOf(object) } : { path: nameOf(object) };
    const part = { bytes: bytesOf(object, share), size: sizeOf(object) };
    return JSON.stringify({ ...what, at, ...(rest.status === 206 ? part : {}) });
  },
  s3: (one, now) => {
    const { object, byCid, method, status, share, agent } = one;
    const key = byCid ? `store/${cidOf(object)}.car` : encodePath(nameOf(object).slice(6));
    return s3Line({
      // S3 encodes once more what the client had encoded.
      key: encodePath(key),
      uri: `/bucket/${key}?x=1`,
      at: commonTime(one, now),
      operation: `REST.${method}.OBJECT`,
      status,
      sent: Math.min(bytesOf(object, share), sizeOf(object)),
      size: sizeOf(object),
      agent,
    });
  },
  cloudfront: ({ object, byCid, secondsAgo, method, status, share, agent }, now) => {
    const at = new Date(now.getTime() - secondsAgo * 1_000).toISOString();
    const range = status === 206 ? ["7", String(7 + bytesOf(object, share) - 1)] : ["-", "-"];
    return [
      at.slice(0, 10),
      at.slice(11, 19),
      method,
      byCid ? "/index.html" : encodePath(encodePath(nameOf(object).slice(5))),
      String(status),
      "999",
      agent.replaceAll(" ", "%20"),
      byCid ? `${cidOf(object)}.ipfs.example.com` : "cdn.example.com",
      ...range,
    ].join("\t");
  },
  combined: (one, now) => {
    const { object, byCid, method, status, share, agent } = one;
    const path = byCid ? `/ipfs/${cidOf(object)}/a?b=c` : encodePath(nameOf(object).slice(5));
    const sent = bytesOf(object, share);
    return (
      `192.0.2.7 - some one [${commonTime(one, now)}] "${method} ${path} HTTP/1.1" ` +
      `${status} ${sent} "-" "${agent}"`
    );
  },
};

function bytesOf(object: number, share: number): number {
  return Math.floor(sizeOf(object) * share);
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The time as it is logged in a zone: `31/Dec/2025:23:59:59 -0700`. */
function commonTime({ secondsAgo, zone }: Request, now: Date): string {
  const local = new Date(now.getTime() - secondsAgo * 1_000 + zone * 3_600_000).toISOString();
  const month = months[Number(local.slice(5, 7)) - 1] ?? "";
  const offset = `${zone < 0 ? "-" : "+"}${String(Math.abs(zone)).padStart(2, "0")}00`;
  return `${local.slice(8, 10)}/${month}/${local.slice(0, 4)}:${local.slice(11, 19)} ${offset}`;
}
