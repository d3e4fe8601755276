import { setTimeout as sleep } from "node:timers/promises";
import { createPostgresBackend } from "bullmq";
import { Client } from "pg";

/** Between two attempts to reach a server that is away. */
const againAfterMs = 500;
const awayCodes = /^(57P0[1-5]|08|53300|E[A-Z]+$)/;
const awayMessages = /terminated|timeout|not queryable/i;

/**
 * BullMQ's backend, made patient: it remembers its first contact with the server, even one that
 * failed, and would then fail every call at once and for good. A node whose first contact falls
 * into a restart of the server tries again until the server is back.
 */
export const patientPostgresBackend: typeof createPostgresBackend = (name, options, more) => {
  const backend = createPostgresBackend(name, options, more);
  // Private to BullMQ: should it be gone one day, its test in test/jobs says so.
  const connection = backend.connection as unknown as Contact;
  const firstContact = connection.bootstrap.bind(connection);
  connection.bootstrap = async () => {
    for (;;) {
      try {
        return await firstContact();
      } catch (error) {
        if (connection.isClosing || !isAway(error)) throw error;
        await sleep(againAfterMs, undefined, { ref: false });
      }
    }
  };
  return backend;
};

interface Contact {
  bootstrap(): Promise<void>;
  readonly isClosing: unknown;
}

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return awayCodes.test(code) || awayMessages.test(error.message);
}

/**
 * A connection that is lost while it is lent out and idle (a transaction between two queries)
 * says so by an event; unheard, it would end the process. Its next query fails, and is retried:
 * at once, whatever the server said, so that a refusal is passed on only after a pause.
 */
export class CalmClient extends Client {
  constructor(config?: ConstructorParameters<typeof Client>[0]) {
    super(config);
    this.on("error", () => undefined);
  }

  override connect(): Promise<Client>;
  override connect(callback: (error: Error | null, client?: Client) => void): void;
  override connect(
    callback?: (error: Error | null, client?: Client) => void,
  ): Promise<Client> | undefined {
    const connected = super.connect().catch(async (error: unknown) => {
      await sleep(againAfterMs, undefined, { ref: false });
      throw error;
    });
    if (callback === undefined) return connected;
    void tell(connected, callback);
    return undefined;
  }
}

async function tell(
  connected: Promise<Client>,
  callback: (error: Error | null, client?: Client) => void,
): Promise<void> {
  let client: Client;
  try {
    client = await connected;
  } catch (error) {
    callback(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  callback(null, client);
}
