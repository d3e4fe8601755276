/** A suite of JUnit's XML form, as continuous integration servers read it. */
export interface JunitSuite {
  readonly name: string;
  readonly cases: readonly JunitCase[];
}

export interface JunitCase {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** What went wrong: a heading and all there is to say; absent when nothing did. */
  readonly failure?: { readonly message: string; readonly text: string } | undefined;
}

/** Test suites as one JUnit document. */
export function junitXml(suites: readonly JunitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="thermocline" ${counts(all)}>`,
    ...suites.flatMap(({ name, cases }) => [
      `  <testsuite ${attribute("name", name)} ${counts(cases)}>`,
      ...cases.flatMap((one) => caseLines(one, name)),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

function caseLines({ name, file, line, failure }: JunitCase, suite: string): readonly string[] {
  const words = [
    attribute("classname", suite),
    attribute("name", name),
    attribute("file", file),
    attribute("line", String(line)),
  ].join(" ");
  if (failure === undefined) return [`    <testcase ${words} />`];
  const { message, text } = failure;
  return [
    `    <testcase ${words}>`,
    `      <failure ${attribute("message", message)}>${escape(text)}</failure>`,
    "    </testcase>",
  ];
}

function counts(cases: readonly JunitCase[]): string {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  return `tests="${cases.length}" failures="${failures}" errors="0" skipped="0"`;
}

function attribute(name: string, value: string): string {
  return `${name}="${escape(value).replaceAll("\n", "&#10;")}"`;
}

function escape(text: string): string {
  // XML 1.0 has no way to write most control characters.
  const written = text.replaceAll(/[^\P{Cc}\t\n]/gu, "�");
  return written
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
