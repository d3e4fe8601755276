import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { MessageThread } from "#content/message-thread.ts";
import type { GroupQuestion } from "#drivers/local/group-message.ts";

/** Blocking calls on a disk that others use as well: more threads would only wait for each other. */
const threadsMax = Math.min(availableParallelism(), 4);

const entry = new URL(`./group-thread-entry${extname(import.meta.url)}`, import.meta.url);
let threads: MessageThread<GroupQuestion, true>[] = [];

/** Has a thread work on a group; its results then say how far it came. */
export async function workOnGroup(question: GroupQuestion): Promise<void> {
  await freeThread().ask(question);
}

function freeThread(): MessageThread<GroupQuestion, true> {
  const [least] = threads.toSorted((a, b) => a.waiting - b.waiting);
  if (least !== undefined && (least.waiting === 0 || threads.length === threadsMax)) return least;
  const thread: MessageThread<GroupQuestion, true> = new MessageThread(entry, () => {
    // What it had begun is done again one by one; the next group gets another.
    threads = threads.filter((other) => other !== thread);
  });
  threads.push(thread);
  return thread;
}
