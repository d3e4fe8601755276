import { Redis } from "ioredis";

const connectTimeoutMs = 3_000;

/** Asks a Redis on a connection of its own, which fails soon and says why. */
export async function askRedis<Answer>(
  url: string,
  ask: (client: Redis) => Promise<Answer>,
): Promise<Answer> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The reason arrives as an event; the rejected call only says "Connection is closed".
  let cause: Error | undefined;
  client.on("error", (error) => {
    cause ??= error;
  });
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw cause ?? error;
  } finally {
    client.disconnect();
  }
}
