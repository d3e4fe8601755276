import { rule, type SeededMistake } from "./seeded-verb-mistakes.ts";

/** What people write who carry over the habits of a peer system. */
type Habit = readonly [what: string, body: string, at: string, message: string, hint: string];

const removed = (where: string): string => `where: ${where}\n    delete: {}`;
const idle = (verb: string): string => `where: idle > 30d\n    ${verb}`;

const habits: readonly Habit[] = [
  ["a unit as a word", removed("age > 30 days"), "6:21 E0150", "found days", "30d, 12h"],
  ["days without a unit (S3)", removed("age > 30"), "6:18 E0204", "a number", "30s, 30d"],
  ["Days as a name (S3)", removed("Days > 30"), "6:12 E0201", '"Days"', "age > 30d"],
  ["months", removed("age > 6mo"), "6:19 E0154", '"mo" is not a unit', "write 30d"],
  ["a duration of ISO 8601 (Elasticsearch)", removed("age > P30D"), "6:18 E0201", '"P30D"', "known here"],
  ["a storage class as a tier (S3)", idle("demote: {from: tier = hot, to: tier = GLACIER}"), "7:43 E0207", 'no tier "GLACIER"', 'backend = "glacier"'],
  ["a transition (S3)", idle("Transition: {Days: 30}"), "7:5 E0102", '"Transition"', "write demote:"],
  ["an expiration (S3)", idle("Expiration: {Days: 30}"), "7:5 E0102", '"Expiration"', "write delete:"],
  ["a status (S3)", idle("status: Disabled\n    delete: {}"), "7:5 E0102", '"status"', "enabled: false"],
  ["a prefix (S3, GCS)", removed('prefix = "logs/"'), "6:12 E0201", '"prefix"', 'path like "/logs/**"'],
  ["a tag as a value (S3)", removed('tag = "x"'), "6:12 E0201", '"tag"', "tags has"],
  ["tags without a key", removed('meta = "x"'), "6:12 E0201", "needs a key", "meta.<key>"],
  ["newer versions (GCS)", removed("numNewerVersions >= 3"), "6:12 E0201", '"numNewerVersions"', "newest(3, path)"],
  ["days since a change (Azure)", removed("daysAfterModificationGreaterThan > 30"), "6:12 E0201", "daysAfter", "now - modified"],
  ["last access (Robinhood)", removed("last_access > 30d"), "6:12 E0201", '"last_access"', "write idle"],
  ["last modification (Robinhood)", removed("last_mod > 6h"), "6:12 E0201", '"last_mod"', "now - modified"],
  ["directories (Robinhood)", removed("dircount = 0"), "6:12 E0201", '"dircount"', "directories are no objects"],
  ["high below low (Robinhood)", idle("evict: {from: tier = hot, above: 70%, until: 90%}"), "7:12 E0106", "do not go together", "needs a lower until:"],
  ["a threshold (Spectrum Scale)", idle('evict: {from: tier = hot, threshold: "70,90"}'), "7:31 E0102", '"threshold"', "above: 90%, until: 70%"],
  ["a weight (Spectrum Scale)", idle("weight: size desc\n    evict: {from: tier = hot}"), "7:5 E0102", '"weight"', "write order:"],
  ["migrate (Spectrum Scale)", idle("migrate: {from: hot, to: cold}"), "7:5 E0102", '"migrate"', "write demote:"],
  ["a pool without a condition (Spectrum Scale)", idle("evict: {from: hot}"), "7:19 E0201", '"hot"', "write tier = hot"],
  ["attributes of SQL (Spectrum Scale)", removed("KB_ALLOCATED > 1024"), "6:12 E0201", '"KB_ALLOCATED"', "size > 1MiB"],
  ["the clock of SQL (Spectrum Scale)", removed("CURRENT_TIMESTAMP - modified > 30d"), "6:12 E0201", "CURRENT", "write now"],
  ["capital letters of SQL", removed("age > 30d AND size > 1MiB"), "6:22 E0150", "found AND", "small letters"],
  ["IS NULL of SQL", removed("owner IS NULL"), "6:18 E0150", "found IS", "missing(x)"],
  ["a share of a backend asked of objects", removed("usage > 90%"), "6:12 E0205", "describes backends", "known here"],
  ["a negative size", removed("size > -1GiB"), "6:19 E0204", "never negative", "0B"],
  ["a negative limit", idle("limit: {bytes: -5GiB}\n    delete: {}"), "7:20 E0106", "is not a size", "such as 10GiB"],
  ["keep-last 0 (restic)", removed("not newest(0)"), "6:23 E0209", "the newest 0 are none", "write newest(7"],
  ["more than can be kept apart", removed("not newest(1M)"), "6:23 E0209", "10000 are the most", "write newest(7"],
  ["a negative count to keep", removed("not newest(-3)"), "6:23 E0209", "never negative", "without the sign"],
  ["days to keep as a plural (restic)", removed("not newest(3, days)"), "6:26 E0207", '"days"', 'did you mean "day"'],
  ["sizes with one letter (restic, rclone)", removed("size > 10G"), "6:21 E0154", '"G"', "write GiB (1024) or GB (1000)"],
  ["millions for megabytes (rclone)", removed("size > 10M"), "6:19 E0204", "a number", "10MiB"],
  ["copies of a group (git-annex)", removed("copies=archive:1"), "6:26 E0151", '":"', "labels.group"],
  ["everywhere as -1 (IPFS Cluster)", idle("ensure: {copies: -1, on: tier = hot}"), "7:22 E0167", '"-1"', "copies: all"],
  ["no copies at all", idle("ensure: {copies: 0, on: tier = hot}"), "7:22 E0167", '"0"', "say evict"],
  ["an RSE expression (Rucio)", idle('ensure: {copies: 1, on: "tier=2&country=de"}'), "7:36 E0151", '"&"', 'write "and"'],
  ["tiers by number (Rucio)", idle("ensure: {copies: 1, on: tier = 2}"), "7:36 E0204", "a tier", "cache, hot"],
  ["a lifetime (Rucio)", idle("ensure: {copies: 2, lifetime: 14d}"), "7:25 E0102", '"lifetime"', "write for:"],
  ["a text compared as a number (git-annex)", removed("meta.priority > 5"), "6:28 E0204", "text", "number(meta.priority)"],
  ["a date in quotes", removed('created < "2024-01-01"'), "6:22 E0204", "a point in time", "without quotes"],
  ["a date with slashes", removed("created < 01/02/2024"), "6:12 E0204", "a point in time", "2026-01-31"],
  ["a function for patterns", removed('regex(name, "tmp")'), "6:12 E0201", '"regex"', "name matches"],
  ["chance", removed("random() < 0.5"), "6:12 E0201", '"random"', "order by cid"],
  ["values of two types (CASE)", removed("if(size > 1MiB, 3d, 4MiB) > 2d"), "6:32 E0204", "takes a duration", "write idle > if("],
  ["a pool where backends are described (Spectrum Scale)", idle('ensure: {copies: 1, on: pool = "nas"}'), "7:29 E0201", '"pool"', 'write backend = "'],
  ["a zone where backends are described", idle('ensure: {copies: 1, on: zone = "eu"}'), "7:29 E0201", '"zone"', "write region ="],
  ["last access where backends are described", idle("ensure: {copies: 1, on: lastAccess > 3d}"), "7:29 E0201", '"lastAccess"', "say it in where:"],
  ["objects where backends are preferred", idle("demote: {from: tier = hot, to: tier = cold, prefer: heat desc}"), "7:57 E0205", "describes objects", "known here"],
]; // prettier-ignore

export const seededForeignMistakes: readonly SeededMistake[] = habits.map(
  ([what, body, at, message, hint]) => ({ what, text: rule(body), at, message, hint }),
);
