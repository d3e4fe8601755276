import { parentPort } from "node:worker_threads";
import type { GroupQuestion, ThreadQuestion } from "#drivers/local/thread-question.ts";
import { hashLeaves } from "#drivers/local/hash-leaves.ts";
import { readFiles } from "#drivers/local/read-files.ts";
import { StoreFolder } from "#drivers/local/store-folder.ts";
import { storeFiles } from "#drivers/local/store-files.ts";

const folders = new Map<string, StoreFolder>();
let before = Promise.resolve();

/** Works on one question after the other; the answer says only that the results are there. */
parentPort?.on("message", (question: ThreadQuestion) => {
  before = answer(before, question);
});

async function answer(others: Promise<void>, question: ThreadQuestion): Promise<void> {
  await others;
  try {
    await workOn(question);
  } catch {
    // Those without a result are asked for one by one, which says what is wrong.
  }
  parentPort?.postMessage(true, []);
}

async function workOn(question: ThreadQuestion): Promise<void> {
  if (question.act === "hash") {
    hashLeaves(question);
    return;
  }
  const folder = folderOf(question);
  folder.checkMounted();
  if (question.act === "read") readFiles(folder, question);
  else await storeFiles(folder, question);
}

function folderOf({ root, durability }: GroupQuestion): StoreFolder {
  const key = `${durability} ${root}`;
  const known = folders.get(key) ?? StoreFolder.open(root, durability, false);
  folders.set(key, known);
  return known;
}
