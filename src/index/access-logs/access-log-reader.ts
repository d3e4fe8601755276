import { cloudFrontBeginning, CloudFrontLog } from "#index/access-logs/cloudfront-log.ts";
import { combinedBeginning, parseCombinedLine } from "#index/access-logs/parse-combined-line.ts";
import { parseJsonLine } from "#index/access-logs/parse-json-line.ts";
import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";
import { parseS3Line, s3Beginning } from "#index/access-logs/parse-s3-line.ts";
import type { AccessLogFormat } from "#model/access-log.ts";

/** Reads the lines of one log, in order. */
export class AccessLogReader {
  readonly #prefix: string;
  #format: AccessLogFormat | undefined;
  #parse: ((line: string) => ParsedAccess) | undefined;

  /** Of format `auto`, a log is what its first line with content looks like. */
  constructor(format: AccessLogFormat | "auto", prefix = "") {
    this.#prefix = prefix;
    if (format !== "auto") this.#use(format);
  }

  /** Undefined until a line was seen that tells. */
  get format(): AccessLogFormat | undefined {
    return this.#format;
  }

  parse(line: string): ParsedAccess {
    if (this.#parse === undefined) this.#use(formatOf(line));
    return this.#parse?.(line) ?? { problem: "of no known format of access logs" };
  }

  /** For a line that was counted by an earlier import: it may still describe those after it. */
  pass(line: string): void {
    if (this.#parse === undefined || line.startsWith("#")) this.parse(line);
  }

  #use(format: AccessLogFormat | undefined): void {
    this.#format = format;
    this.#parse = format === undefined ? undefined : parserOf(format, this.#prefix);
  }
}

function formatOf(line: string): AccessLogFormat | undefined {
  if (line.trimStart().startsWith("{")) return "ndjson";
  if (cloudFrontBeginning.test(line)) return "cloudfront";
  if (s3Beginning.test(line)) return "s3";
  return combinedBeginning.test(line) ? "combined" : undefined;
}

function parserOf(format: AccessLogFormat, prefix: string): (line: string) => ParsedAccess {
  switch (format) {
    case "s3":
      return (line) => parseS3Line(line, prefix);
    case "combined":
      return (line) => parseCombinedLine(line, prefix);
    case "cloudfront": {
      const log = new CloudFrontLog(prefix);
      return (line) => log.parse(line);
    }
    default:
      return parseJsonLine;
  }
}
