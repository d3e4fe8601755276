import { hash } from "node:crypto";
import { parentPort } from "node:worker_threads";

/** The other side of `HashThread`: answers each piece with its SHA-256, in the order of asking. */
parentPort?.on("message", (bytes: Uint8Array) => {
  parentPort?.postMessage(hash("sha256", bytes, "buffer"), []);
});
