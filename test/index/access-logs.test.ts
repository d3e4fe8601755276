import * as fc from "fast-check";
import { expect, test } from "vitest";
import { AccessLogReader } from "#index/access-logs/access-log-reader.ts";
import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";
import { accessLogFormats } from "#model/access-log.ts";
import { cloudFrontLines, combinedLine, gatewayLine, s3Line, s3Lines } from "./access-log-lines.ts";
import { cidOf } from "./open-index.ts";

function read(lines: readonly string[], prefix = ""): readonly ParsedAccess[] {
  const reader = new AccessLogReader("auto", prefix);
  return lines.map((line) => reader.parse(line));
}

const header = cloudFrontLines[1];
const edge = (values: Readonly<Record<string, string>>): string =>
  header
    .slice("#Fields: ".length)
    .split(" ")
    .map((name) => values[name] ?? "-")
    .join("\t");

test("the published lines of S3 are a listing and a write: no reads", () => {
  expect(read(s3Lines)).toEqual([{ ignored: "request" }, { ignored: "request" }]);
});

test("a read in an S3 log is of the key, below the prefix; a range counts its share", () => {
  const at = new Date("2019-02-06T00:00:38Z");
  const lines = [
    s3Line({ key: "photos/1.jpg", at: "06/Feb/2019:01:00:38 +0100" }),
    s3Line({ key: "photos/1.jpg", status: 206, sent: 25, size: 100 }),
    s3Line({ key: `some/prefix/${cidOf(1)}` }),
    s3Line({ key: `${cidOf(1)}.car`, operation: "WEBSITE.GET.OBJECT" }),
  ];
  expect(read(lines, "/data")).toEqual([
    { access: { object: "/data/photos/1.jpg", at, weight: 1 } },
    { access: { object: "/data/photos/1.jpg", at, weight: 0.25 } },
    { access: { object: cidOf(1), at, weight: 1 } },
    { access: { object: cidOf(1), at, weight: 1 } },
  ]);
});

test("a key that was logged encoded twice is told from one with a percent sign of its own", () => {
  const lines = [
    s3Line({ key: "a%2520b.jpg", uri: "/bucket/a%20b.jpg" }),
    s3Line({ key: "a%2520b.jpg", uri: "/bucket/a%2520b.jpg" }),
    s3Line({ key: "a%20b.jpg", uri: "/bucket/a%20b.jpg?versionId=1" }),
  ];
  const objects = read(lines).map((parsed) => "access" in parsed && parsed.access.object);
  expect(objects).toEqual(["/a b.jpg", "/a%20b.jpg", "/a b.jpg"]);
});

test.each([
  ["a write", { operation: "REST.PUT.OBJECT" }, "request"],
  ["a look at the head", { operation: "REST.HEAD.OBJECT" }, "request"],
  ["an absent object", { status: 404 }, "request"],
  ["an answer without content", { status: 304 }, "request"],
  ["a read by this engine", { agent: "aws-sdk-js/3.9 ua/2.1 os/linux thermocline" }, "own"],
])("%s in an S3 log is no read", (_, fields, ignored) => {
  expect(read([s3Line({ key: "k", ...fields })])).toEqual([{ ignored }]);
});

test("the published CloudFront log has two lines of header and a read", () => {
  const at = new Date("2019-12-04T21:02:31Z");
  expect(read(cloudFrontLines)).toEqual([
    { ignored: "header" },
    { ignored: "header" },
    { access: { object: "/index.html", at, weight: 1 } },
  ]);
  // The usual fields stand first, so that a log without its header is read, too.
  expect(read(cloudFrontLines.slice(2))[0]).toHaveProperty("access.object", "/index.html");
});

test("a CloudFront log is read by its own fields: ranges, subdomains, paths encoded twice", () => {
  const request = { date: "2026-01-02", time: "03:04:05", "cs-method": "GET" };
  const lines = [
    header,
    edge({ ...request, "cs-uri-stem": "/a%2520b", "sc-status": "200" }),
    edge({
      ...request,
      "cs-uri-stem": "/",
      "sc-status": "206",
      "sc-bytes": "900",
      "sc-range-start": "10",
      "sc-range-end": "29",
      "x-host-header": `${cidOf(3)}.ipfs.example.com`,
    }),
    edge({ ...request, "cs-uri-stem": "/x", "sc-status": "200", "cs(User-Agent)": "thermocline" }),
  ];
  const at = new Date("2026-01-02T03:04:05Z");
  expect(read(lines).slice(1)).toEqual([
    { access: { object: "/a b", at, weight: 1 } },
    { access: { object: cidOf(3), at, weight: 1, bytes: 20 } },
    { ignored: "own" },
  ]);
  expect(read([header, "2026-01-02\t03:04:05\tLAX1"])[1]).toEqual({
    problem: "3 values for 33 fields of the log",
  });
  expect(read(["#Fields: date time", "x"])[0]).toEqual({
    problem: "the log has no field cs-method",
  });
});

test("the published lines of web servers and gateways are reads of a path and of a CID", () => {
  expect(read([combinedLine])).toEqual([
    { access: { object: "/apache_pb.gif", at: new Date("2000-10-10T20:55:36Z"), weight: 1 } },
  ]);
  expect(read([gatewayLine])).toEqual([
    {
      access: {
        object: "QmPvt7yHLGpVhd4jVFX6reEZZ34fQRepQ1a1QTsZQBH1hJ",
        at: new Date("2022-03-21T00:00:58Z"),
        weight: 1,
      },
    },
  ]);
});

const combined = (request: string, status = 200, agent = "curl/8"): string =>
  `::1 - - [01/Jan/2026:00:00:00 +0000] "${request}" ${status} 50 "-" "${agent}"`;

test("queries, escapes and absolute targets of a web server's log are understood", () => {
  const at = new Date("2026-01-01T00:00:00Z");
  const lines = [
    combined(String.raw`GET /caf\xC3\xA9/\x22q\x22?x=1 HTTP/1.1`),
    combined(`GET http://localhost:8080/ipfs/${cidOf(2)}?format=car HTTP/1.1`, 206),
    combined(`GET /ipfs/${cidOf(2)}/index.html HTTP/1.1`, 304),
    combined(`HEAD /ipfs/${cidOf(2)} HTTP/1.1`),
    combined(String.raw`\x16\x03\x01`, 400),
    combined("GET /a HTTP/1.1", 200, "thermocline/1.0"),
    combined("GET /a%ff HTTP/1.1"),
    combined("GET /a HTTP/1.1").replace("01/Jan", "31/Feb"),
    combined("GET /a HTTP/1.1").slice(0, 40),
  ];
  expect(read(lines)).toEqual([
    { access: { object: '/café/"q"', at, weight: 1 } },
    { access: { object: cidOf(2), at, weight: 1, bytes: 50 } },
    { ignored: "request" },
    { ignored: "request" },
    { ignored: "request" },
    { ignored: "own" },
    { problem: expect.stringContaining("names no sound path") as string },
    { problem: expect.stringContaining("is no time") as string },
    { problem: expect.stringContaining("not a line") as string },
  ]);
});

test("a log is of the format of its first line that tells, and of no format before", () => {
  const reader = new AccessLogReader("auto");
  expect(reader.parse("hello")).toEqual({ problem: "of no known format of access logs" });
  expect(reader.format).toBeUndefined();
  reader.pass(`{"cid":"${cidOf(1)}","at":"2026-01-01T00:00:00Z"}`);
  expect(reader.format).toBe("ndjson");
  expect(reader.parse(combinedLine)).toEqual({ problem: "not JSON" });
});

test("no line, however broken, does more than to be malformed", () => {
  const lines = [...s3Lines, ...cloudFrontLines, combinedLine, gatewayLine, s3Line({ key: "%" })];
  const broken = fc
    .tuple(fc.constantFrom(...lines), fc.nat(600), fc.nat(20), fc.string())
    .map(([line, at, cut, text]) => line.slice(0, at) + text + line.slice(at + cut));
  const format = fc.constantFrom("auto" as const, ...accessLogFormats);
  fc.assert(
    fc.property(format, fc.array(broken, { maxLength: 4 }), (name, some) => {
      const reader = new AccessLogReader(name);
      const unsound = some.map((line) => reader.parse(line)).filter((parsed) => !isSound(parsed));
      expect(unsound).toEqual([]);
    }),
  );
});

function isSound(parsed: ParsedAccess): boolean {
  if ("ignored" in parsed) return true;
  if ("problem" in parsed) return parsed.problem !== "";
  const { at, weight, bytes = 0 } = parsed.access;
  return !Number.isNaN(at.getTime()) && weight >= 0 && bytes >= 0 && parsed.access.object !== "";
}
