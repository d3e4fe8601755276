import type { Access } from "#model/index-store.ts";

/** What a line of an access log says: a read, something that is none, or why it says nothing. */
export type ParsedAccess =
  | { readonly access: Access }
  | { readonly ignored: IgnoredLine }
  | { readonly problem: string };

/**
 * `header` describes the log itself, `request` is no read of content (a write, a listing, an
 * error, an answer without content), `own` was made by this engine.
 */
export type IgnoredLine = "header" | "request" | "own";
