/** A fenced block of a page. */
export interface CodeBlock {
  readonly language: string;
  /** From `file=…` after the language: where the block's text belongs. */
  readonly file: string | undefined;
  readonly text: string;
}

/** The fenced blocks of a Markdown page, in order. */
export function codeBlocks(page: string): readonly CodeBlock[] {
  const fences = page.matchAll(/^```(\w+)(?: file=(\S+))?\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, language = "", file, text = ""]) => ({ language, file, text }));
}
