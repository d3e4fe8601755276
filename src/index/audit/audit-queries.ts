import type { AuditCheck } from "#model/audit.ts";

type SqlCheck = Exclude<AuditCheck, "wrong-figure">;

/** For each check a query for what contradicts it: rows with `subject`, in words. */
export const auditQueries: Readonly<Record<SqlCheck, string>> = {
  "no-outcome": `
    SELECT format('{} action {}', r.run_id, a.sequence) AS subject
    FROM (
      SELECT run_key, unnest(range(first, past)) AS sequence FROM batches AS b
      WHERE b.state = 'done'
        OR EXISTS (FROM runs AS r WHERE r.run_key = b.run_key AND r.ended_at IS NOT NULL)
    ) AS a
    ANTI JOIN outcomes AS o ON o.run_key = a.run_key AND o.sequence = a.sequence
    JOIN runs AS r ON r.run_key = a.run_key`,

  "two-outcomes": `
    SELECT format('{} action {}: {} outcomes', r.run_id, o.sequence, count(*)) AS subject
    FROM outcomes AS o JOIN runs AS r USING (run_key)
    GROUP BY r.run_id, o.sequence HAVING count(*) > 1`,

  "outcome-not-in-ledger": `
    SELECT format('{} action {}: {} here, {} in the ledger', run_id, sequence,
      coalesce(o.outcomes, 'nothing'), coalesce(l.outcomes, 'nothing')) AS subject
    FROM (
      SELECT r.run_id, o.sequence, string_agg(o.outcome::VARCHAR, ', ') AS outcomes
      FROM outcomes AS o JOIN runs AS r USING (run_key) GROUP BY ALL
    ) AS o FULL JOIN (
      SELECT run_id, sequence, string_agg(outcome, ', ') AS outcomes
      FROM ledger_entries WHERE kind = 'outcome' GROUP BY ALL
    ) AS l USING (run_id, sequence)
    WHERE o.outcomes IS DISTINCT FROM l.outcomes`,

  "wrong-count": `
    SELECT format('{} batch {}: counts {}, has {}', r.run_id, b.number,
      b.done + b.skipped + b.failed + b.cancelled, coalesce(o.all_of_them, 0)) AS subject
    FROM batches AS b JOIN runs AS r USING (run_key) LEFT JOIN (
      SELECT b.run_key, b.number, count(*) AS all_of_them,
        count(*) FILTER (WHERE o.outcome = 'done') AS done,
        count(*) FILTER (WHERE o.outcome = 'skipped') AS skipped,
        count(*) FILTER (WHERE o.outcome = 'failed') AS failed,
        count(*) FILTER (WHERE o.outcome = 'cancelled') AS cancelled
      FROM outcomes AS o ASOF JOIN batches AS b
        ON o.run_key = b.run_key AND o.sequence >= b.first
      GROUP BY ALL
    ) AS o ON o.run_key = b.run_key AND o.number = b.number
    WHERE (b.done, b.skipped, b.failed, b.cancelled) <> (coalesce(o.done, 0),
      coalesce(o.skipped, 0), coalesce(o.failed, 0), coalesce(o.cancelled, 0))`,

  "removal-without-proof": `
    SELECT format('{} action {} on {}', r.run_id, o.sequence, v.name) AS subject
    FROM outcomes AS o
    ASOF JOIN batches AS b ON o.run_key = b.run_key AND o.sequence >= b.first
    JOIN runs AS r ON r.run_key = o.run_key
    JOIN backends AS v ON v.backend_id = b.victim
    ANTI JOIN (FROM ledger_entries WHERE kind = 'proof') AS p
      ON p.run_id = r.run_id AND p.sequence = o.sequence
    WHERE o.outcome = 'done'`,

  "proof-without-permit": `
    SELECT format('{} action {}, entry {}', p.run_id, p.sequence, p.entry_id) AS subject
    FROM ledger_entries AS p
    ANTI JOIN (FROM ledger_entries WHERE kind = 'permit') AS m
      ON m.run_id = p.run_id AND m.sequence = p.sequence AND m.object_id = p.object_id
        AND json_extract_string(m.detail, '$.permit') = json_extract_string(p.detail, '$.permit')
        AND m.entry_id < p.entry_id
    WHERE p.kind = 'proof'`,

  // Where a removal was only found to have happened, the evidence went with the worker.
  "proof-without-evidence": `
    SELECT format('{} action {}: nothing seen on {}', p.run_id, p.sequence, m.backend) AS subject
    FROM (
      SELECT run_id, sequence,
        list_filter(
          list_zip(json_extract_string(detail, '$.evidence[*].backend'),
            json_extract_string(detail, '$.evidence[*].finding')),
          lambda seen: seen[2] = 'present') AS evidence
      FROM ledger_entries WHERE kind = 'proof' AND reason = 'removed'
    ) AS p JOIN (
      SELECT run_id, sequence,
        unnest(json_extract_string(arg_max(detail, entry_id), '$.reserved[*].backend')) AS backend
      FROM ledger_entries WHERE kind = 'permit' GROUP BY run_id, sequence
    ) AS m USING (run_id, sequence)
    WHERE NOT list_contains(list_transform(p.evidence, lambda seen: seen[1]), m.backend)`,

  "open-permit": `
    SELECT format('{} action {}: permit {} is {}', r.run_id, m.sequence, m.permit_id,
      m.state::VARCHAR) AS subject
    FROM permits AS m JOIN runs AS r USING (run_key)
    WHERE r.ended_at IS NOT NULL AND m.state IN ('open', 'unknown')`,

  "ledger-gap": `
    SELECT format('entry {} follows entry {}', entry_id, before) AS subject
    FROM (SELECT entry_id, lag(entry_id, 1, -1) OVER (ORDER BY entry_id) AS before
      FROM ledger UNION ALL
      SELECT next_entry, (SELECT coalesce(max(entry_id), -1) FROM ledger) FROM counters)
    WHERE entry_id <> before + 1`,
};

/** What the checks looked at, counted. */
export const auditTotals = `
  SELECT (SELECT count(*) FROM runs) AS runs,
    (SELECT coalesce(sum(past - first), 0)::BIGINT FROM batches) AS actions,
    count(*) FILTER (WHERE kind = 'outcome' AND outcome = 'done') AS done,
    count(*) FILTER (WHERE kind = 'outcome' AND outcome = 'skipped') AS skipped,
    count(*) FILTER (WHERE kind = 'outcome' AND outcome = 'failed') AS failed,
    count(*) FILTER (WHERE kind = 'outcome' AND outcome = 'cancelled') AS cancelled,
    count(*) FILTER (WHERE kind = 'permit') AS permits,
    count(*) FILTER (WHERE kind = 'proof') AS proofs,
    count(*) FILTER (WHERE kind = 'settlement') AS settlements,
    count(*) AS entries
  FROM ledger`;
