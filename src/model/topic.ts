/** Something that an author can look up: a key of a document, a word, a diagnostic code. */
export interface Topic {
  /** `policy.rules.ensure`, `heat`, `E0204`. */
  readonly name: string;
  readonly kind: "key" | "word" | "code";
  readonly summary: string;
  /** What else is known: the form of the value, what it is unless said, an example. */
  readonly facts: readonly (readonly [what: string, text: string])[];
  /** The keys that may stand below it. */
  readonly keys: readonly TopicKey[];
}

export interface TopicKey {
  readonly name: string;
  readonly required: boolean;
  readonly summary: string;
}
