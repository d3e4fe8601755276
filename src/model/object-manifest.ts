/** Formats of manifests; text may be packed with gzip or zstd. */
export const manifestFormats = ["csv", "ndjson", "parquet"] as const;
export type ManifestFormat = (typeof manifestFormats)[number];

/** What a manifest may say of an object: names of columns, or keys of JSON objects. */
export const manifestColumns = {
  cid: "root CID; needed",
  size: "bytes of the content; needed",
  path: "a name in the index",
  type: "media type",
  collection: "collection",
  owner: "owner",
  tags: "tags: a JSON list, or separated by semicolons",
  created: "when the content was made (ISO 8601)",
  modified: "when it was changed last (ISO 8601)",
  profile: "profile under which the content gives the CID; default by what the CID is",
  backend: "backend that is said to hold a copy",
  form: "form of that copy: dag, car or file",
  locator: "where the backend has it, as its driver names places",
  bytes: "bytes of that copy; default those of the content",
} as const;

export interface ManifestRequest {
  /** On the controller's machine. */
  readonly path: string;
  /** Default: what the name or the first bytes say. */
  readonly format?: ManifestFormat;
  /** For rows that name none: a backend that is said to hold a copy. */
  readonly backend?: string;
  /** For rows that say none. */
  readonly collection?: string;
  readonly owner?: string;
  /** Beside those of the rows. */
  readonly tags?: readonly string[];
  /** Stands before the paths of the manifest. */
  readonly prefix?: string;
  /** Read everything and say what would be added; write nothing. */
  readonly dryRun?: boolean;
  /** Begin anew, although an import of this file was interrupted. */
  readonly restart?: boolean;
}

export interface ManifestProgress {
  readonly type: "progress" | "summary";
  readonly format: ManifestFormat;
  /** Rows that were looked at, those of an interrupted import included. */
  readonly rows: number;
  /** Where a Parquet file says it, else estimated from the bytes read; undefined at the start. */
  readonly rowsTotal: number | undefined;
  /** Lines or rows that an interrupted import had done. */
  readonly earlier: number;
  /** Bytes of the content of the rows that were taken. */
  readonly bytes: number;
  readonly added: number;
  readonly known: number;
  /** Copies that the index did not know. */
  readonly copies: number;
  /** Rows that could not be read, or contradict the index. */
  readonly malformed: number;
  /** Where they are kept, each with its line and the reason. */
  readonly malformedFile: string | undefined;
  /** `line N: …` for the first few of them. */
  readonly examples: readonly string[];
  /** Rows whose copy a deletion may be taking away at this moment. */
  readonly leftOut: number;
  /** Columns of the file that mean nothing here. */
  readonly ignored: readonly string[];
  readonly elapsedMs: number;
}
