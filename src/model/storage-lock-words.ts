import type { StorageLock } from "#model/copy.ts";

/** What a storage locks, in words that follow "is": "locked by the backend until …". */
export function storageLockWords({ legalHold, until, mode }: StorageLock): string {
  const retained =
    until === undefined
      ? undefined
      : mode === undefined
        ? `locked by the backend, which does not show until when: asked again from ${until}`
        : `locked by the backend until ${until} (${mode})`;
  if (!legalHold) return retained ?? "not locked";
  const held = "under a legal hold of the backend";
  return retained === undefined ? held : `${held}, and ${retained}`;
}
