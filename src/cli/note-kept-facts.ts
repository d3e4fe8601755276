import type { CommandContext } from "#cli/command.ts";
import type { StoredObject } from "#model/object-content.ts";

/** Says which of the facts that were given do not count, as the index has others. */
export function noteKeptFacts(
  context: CommandContext,
  name: string,
  stored: StoredObject | undefined,
): void {
  for (const { fact, value, given } of stored?.kept ?? []) {
    context.note(
      `${name}: --${fact} ${given} is not applied: the index has it with ${fact} ${value} already`,
    );
  }
}
