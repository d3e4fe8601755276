import { connect } from "node:net";

const answerTimeoutMs = 2_000;

/** Sends one inline command to a Redis on this machine; its first answer. No client needed. */
export function askRedis(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setTimeout(answerTimeoutMs, () => {
      socket.destroy(new Error(`no answer to ${command}`));
    });
    socket.once("connect", () => socket.write(`${command}\r\n`));
    socket.once("data", (chunk) => {
      socket.destroy();
      resolve(chunk.toString());
    });
    socket.once("error", reject);
  });
}

/** Whether a Redis at this port is ready. */
export async function redisAnswers(port: number): Promise<boolean> {
  return (await askRedis(port, "PING").catch(() => "")).startsWith("+PONG");
}
