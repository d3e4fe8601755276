import { codeAnchor } from "#document/docs-link.ts";

/** Codes for findings in YAML documents. Stable: a code is never given a second meaning. */
export const documentCodes = {
  syntax: "E0101",
  unknownKey: "E0102",
  duplicateKey: "E0103",
  missingKey: "E0104",
  wrongType: "E0105",
  invalidValue: "E0106",
  aliasExpansion: "E0107",
  tooLarge: "E0108",
  empty: "E0109",
  literalSecret: "E0110",
} as const;

/** For the reference page: what each code means, and what to do. */
export const documentCodeMeanings: Readonly<
  Record<(typeof documentCodes)[keyof typeof documentCodes], readonly [string, string]>
> = {
  E0101: ["text that is not YAML 1.2", "correct the place of the caret; indent with spaces"],
  E0102: ["an unknown key: a typo would otherwise change nothing, silently", "use a listed key"],
  E0103: ["a key that stands twice in one map", "keep one of the two"],
  E0104: ["a key that must be there and is not", "add it"],
  E0105: ["a value of the wrong type", "write it as the hint shows; quote what is meant as text"],
  E0106: ["a value that is not allowed here", "use one of the listed values or forms"],
  E0107: [
    "an alias (`*name`) that expands without bound, contains itself or names nothing",
    "write the repeated part out",
  ],
  E0108: ["a file too large for a document", "split it into several files"],
  E0109: ["a file without any document", "fill it or remove it"],
  E0110: [
    "a secret that is written out: files are copied, shown and kept in version control",
    "change that secret, and refer to the new one: `env:NAME`, `file:PATH`, `command:PROGRAM …`",
  ],
};

/** The page docs/document-diagnostics.md. */
export function documentDiagnosticsPage(): string {
  const rows = Object.entries(documentCodeMeanings).map(
    ([code, [meaning, remedy]]) => `| ${codeAnchor(code)} | ${meaning} | ${remedy} |`,
  );
  return `# Diagnostics of YAML documents

<!-- Written by \`npm run schema\` from src/document/diagnostic-codes.ts; edit that file. -->

These concern every YAML file, configuration and policies alike; the codes of the policy language
are in [policy-diagnostics.md](policy-diagnostics.md). A code never changes its meaning.

| Code | What was found | What to do |
|---|---|---|
${rows.join("\n")}
`;
}
