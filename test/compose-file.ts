import { readFile } from "node:fs/promises";
import { parse } from "yaml";

/** The parts of compose.yml that tests look into, with YAML merges resolved. */
export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export interface Service {
  readonly build?: { readonly dockerfile: string };
  readonly command: readonly string[];
  readonly platform?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly secrets: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

/** This project's compose.yml. */
export async function readComposeFile(): Promise<ComposeFile> {
  const text = await readFile(new URL("../compose.yml", import.meta.url), "utf8");
  return parse(text, { merge: true }) as ComposeFile;
}
