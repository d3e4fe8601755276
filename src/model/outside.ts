/** A webhook of the configuration, with what its references stand for. */
export interface Webhook {
  readonly url: string;
  /** Signs every message. */
  readonly secret: string;
  readonly timeoutMs: number;
}

/** A command that policies may have run: never through a shell. */
export interface OutsideCommand {
  /** The program, and its arguments. */
  readonly argv: readonly string[];
  readonly directory: string;
  /** All that it sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/**
 * What a worker may reach outside of the installation, by the names that policies use. Secrets
 * are fetched when they are needed. NOT_FOUND for a name that this worker does not have.
 */
export interface OutsidePort {
  webhook(name: string): Promise<Webhook>;
  command(name: string): OutsideCommand;
  /** The folder into which objects are exported. */
  exportFolder(name: string): string;
}
