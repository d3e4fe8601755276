import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { BatchTags } from "#model/record-batch.ts";

/** Reads `--tag name=value`, which may be given several times. */
export function batchTag(text: string, before: BatchTags | undefined): BatchTags {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError("Say name=value.");
  }
  return { ...before, [name]: value };
}
