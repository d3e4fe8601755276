/** Formats of access logs that can be imported. */
export const accessLogFormats = ["ndjson", "s3", "cloudfront", "combined"] as const;
export type AccessLogFormat = (typeof accessLogFormats)[number];

/** How to read an access log. */
export interface AccessLogOptions {
  /** Default `ndjson`; `auto` goes by the first line. */
  readonly format?: AccessLogFormat | "auto";
  /** Stands before the paths in the log to give the names in the index: `/photos`. */
  readonly prefix?: string;
}

/** How far a log has been counted. */
export interface AccessLogCursor {
  /** Lines that were looked at, from the first one on, empty ones included. */
  readonly lines: number;
  /** SHA-256 of those lines, each with a line feed, in hexadecimal digits. */
  readonly digest: string;
  /** Bytes of the file in which the malformed ones among them are kept. */
  readonly keptBytes: number;
}

/** The next piece of a log: counted only if nobody has counted from `after` on meanwhile. */
export interface AccessLogPiece {
  readonly logId: string;
  /** Lines counted before this piece. */
  readonly after: number;
  readonly cursor: AccessLogCursor;
}
