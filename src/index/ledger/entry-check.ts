/** The check of the entry before the first one. */
export const noEntryCheck = "0".repeat(16);

/**
 * Tells whether two ledgers have the same entry, as SQL over the columns of `audit`: indexes that
 * went apart, as after a restore, may both have an entry of the same number.
 */
export const entryCheck = `left(sha256(concat_ws(chr(31), entry_id, epoch_us(recorded), kind,
  coalesce(outcome, ''), coalesce(reason, ''), coalesce(run, ''), coalesce(plan, ''),
  coalesce(action, -1), coalesce(actor, ''), coalesce(note, ''), coalesce(detail, ''))), 16)`;
