import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../test/audit/rehash.py", import.meta.url));

/** What the index promises about one object. */
export interface Promised {
  readonly cid: string;
  readonly backends: readonly string[];
  /** Intact copies it must have at least; none unless said. */
  readonly atLeast?: number;
  /** SHA-256 (hex) of its content, where that is known from elsewhere. */
  readonly sha256?: string;
}

export interface AuditReport {
  readonly files: number;
  readonly corrupt: number;
  readonly objects: number;
  readonly missing: number;
  /** Objects with fewer intact copies than `atLeast`. */
  readonly below: number;
  /** Objects of which no intact copy is left anywhere. */
  readonly lost: number;
  readonly objectsByIntactCopies: Readonly<Record<string, number>>;
  /** A line for each. */
  readonly problems: string;
}

/** Re-hashes every stored file with an independent program against what the index promises. */
export async function rehashStores(
  folders: readonly string[],
  promises: readonly Promised[],
): Promise<AuditReport> {
  const child = spawn("python3", [program, ...folders], { stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => out.push(piece));
  child.stderr.on("data", (piece: Buffer) => errors.push(piece));
  child.stdin.end(promises.map((promise) => JSON.stringify(promise)).join("\n"));
  await once(child, "close");
  const problems = Buffer.concat(errors).toString("utf8");
  const text = Buffer.concat(out).toString("utf8");
  if (text === "") throw new Error(`the audit did not run: ${problems}`);
  return { ...(JSON.parse(text) as Omit<AuditReport, "problems">), problems };
}
