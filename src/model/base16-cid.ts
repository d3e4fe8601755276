/**
 * SQL for a column of binary CIDs as text, in files that the database writes. It knows no base32;
 * the same CID in base16 is one that every tool reads. A CID of version 0 has no such form and is
 * written as what it means: version 1, dag-pb.
 */
export function base16Cid(column: string): string {
  return `CASE WHEN starts_with(hex(${column}), '1220') THEN 'f0170' ELSE 'f' END ||
    lower(hex(${column}))`;
}
