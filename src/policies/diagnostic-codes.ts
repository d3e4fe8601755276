/**
 * Every code that policies can yield, with why it is checked and what to do: the reference page
 * of diagnostics is made from this table. Codes are stable: none gets a second meaning.
 * E01 language and documents · E02 names and types · E03 inventory · W04 advice.
 * (E0101 to E0110, about YAML itself, are in `src/document/diagnostic-codes.ts`.)
 */
export const diagnosticCodes = {
  E0150: ["unexpected word or sign", "complete the expression where the caret stands"],
  E0151: ["a sign that the language does not have", "use the word that the hint names"],
  E0152: ["a text that does not end", "close the quotes"],
  E0153: ["a date that does not exist", "write 2026-01-31 or 2026-01-31T18:30:00Z"],
  E0154: ["an unknown unit after a number", "use a unit of time or size: 30d, 10GiB"],
  E0155: ["an expression beyond the bounds of length or depth", "split it into classes"],
  E0156: ["chained comparisons", 'write "between", or two comparisons'],
  E0160: ["two policies or rules of one name", "give each a name of its own"],
  E0161: ["a rule without a verb, or with several", "one rule says one thing; split it"],
  E0162: ["a variable whose value does not fit its type", "correct the default or --var"],
  E0163: ["--var names a variable that no policy has", "correct the name"],
  E0164: ["classes that refer to each other in a circle", "write one of them out"],
  E0165: ["a class or variable whose name the language uses itself", "choose another name"],
  E0166: ["a schedule or time zone that does not exist", "write five cron fields, an IANA zone"],
  E0167: ["a range or count of copies that cannot be", 'write 2, or "2..3"'],
  E0201: ["an unknown name", "use a name that is known at this place"],
  E0202: ["an unknown variable", "declare it under vars:"],
  E0203: ["an unknown class", "declare it under classes:"],
  E0204: ["types that do not fit", "compare bytes with bytes, durations with durations"],
  E0205: ["a name of the wrong subject", "where: describes objects; on:, from:, to: backends"],
  E0206: ["a value where a condition is needed", "compare it with something"],
  E0207: ["a word that its type does not have", "use one of the listed words"],
  E0208: ["a pattern that means nothing", "correct the glob or the RE2 expression"],
  E0209: ["wrong arguments", "write the call as the hint shows"],
  E0210: ["a condition where a value to order by is needed", "order by an attribute"],
  E0301: ["no configured backend fits", "correct the expression, or configure such a backend"],
  E0302: ["more copies than fitting backends", "lower copies:, or widen on:"],
  E0303: ["source and target overlap", "make from: and to: exclude each other"],
  E0304: ["the driver of a target cannot do what the rule needs", "choose another target"],
  E0305: ["an unknown backend", "use the name of a configured backend"],
  E0306: ["a confidence that no fitting backend can reach", "ask for a lower confidence"],
  W0401: ["a key that this version reads but does not act on", "do not rely on it yet"],
  W0402: ["a rule that can never match", "correct the contradiction"],
  W0403: ["a rule that an earlier one always wins over", "reorder, or remove it"],
  W0404: ["demote and promote without a band between them", "leave a gap, or data flaps"],
  W0405: ["a removal that may leave no other copy", "add an ensure rule for these objects"],
  W0406: ["an attribute that is never missing", "remove the question"],
  W0407: ["targets that take no new copies now", "uncordon, or widen the expression"],
  W0408: ["a pattern that no path can match", 'paths begin with "/"'],
  W0409: ["a grace period too short to notice a mistake", "give it a day at least"],
  W0410: ["a class or variable that nothing uses", "remove it"],
  W0411: ["a wider spread than the backends have", "spread per something with more values"],
  W0412: ["a protective rule with a gap for what is unknown", "add `or missing(x)`"],
} as const satisfies Readonly<Record<string, readonly [finding: string, remedy: string]>>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
