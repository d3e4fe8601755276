/** The text of one YAML file, with the name that diagnostics give it. */
export interface DocumentSource {
  /** As the person wrote it, relative where possible: `policies/cold.thermocline.yaml`. */
  readonly file: string;
  readonly text: string;
  /** Where its `include:` entries lead, by entry as it is written; absent when it has none. */
  readonly includes?: Readonly<Record<string, Inclusion>>;
}

/** The `file` of another source, or why there is none. */
export type Inclusion =
  | { readonly file: string }
  | { readonly problem: { readonly message: string; readonly hint?: string | undefined } };
