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
