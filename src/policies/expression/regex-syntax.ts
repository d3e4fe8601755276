import { RE2JS } from "re2js";

/** Why the database would refuse a regular expression, or undefined when it is sound RE2. */
export function regexProblem(
  pattern: string,
): { readonly message: string; readonly hint: string } | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const lookAround = /\(\?[=!<]/.test(pattern) && !/\(\?<\w+>/.test(pattern);
    return {
      message: reason.replace("error parsing regexp: ", "regular expression: "),
      hint: lookAround
        ? 'there is no look-around in RE2: write a second condition with "and not"'
        : "patterns are RE2: no backreferences, no look-around, so that none can blow up",
    };
  }
}

/** Whether a pattern is found anywhere in a text, in time linear in its length. */
export function regexFinds(pattern: string, text: string): boolean {
  return RE2JS.compile(pattern).matcher(text).find();
}
