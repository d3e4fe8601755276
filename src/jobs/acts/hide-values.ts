/** A value that is not to be shown, and the name that stands for it. */
export interface HiddenValue {
  readonly name: string;
  readonly value: string;
}

/**
 * Replaces values in a text by `$NAME`, the longer one where two begin at one place. Only what
 * begins before `until` is looked at; `rest` is the text from there on, behind the last value.
 */
export function hideValues(
  text: string,
  values: readonly HiddenValue[],
  until = text.length,
): { readonly hidden: string; readonly rest: string } {
  const found = values
    .toSorted((a, b) => b.value.length - a.value.length)
    .map(({ name, value }) => ({ name, value, at: text.indexOf(value) }));
  const pieces: string[] = [];
  let end = 0;
  for (;;) {
    let next: (typeof found)[number] | undefined;
    for (const one of found) {
      if (one.at !== -1 && one.at < end) one.at = text.indexOf(one.value, end);
      if (one.at !== -1 && one.at < (next?.at ?? until)) next = one;
    }
    if (next === undefined) break;
    pieces.push(text.slice(end, next.at), `$${next.name}`);
    end = next.at + next.value.length;
  }
  const from = Math.max(end, until);
  return { hidden: pieces.join("") + text.slice(end, from), rest: text.slice(from) };
}
