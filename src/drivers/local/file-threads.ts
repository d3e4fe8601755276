import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { MessageThread } from "#content/message-thread.ts";
import type { ThreadQuestion } from "#drivers/local/thread-question.ts";

/** Blocking calls on a disk that others use as well: more threads would only wait for each other. */
export const fileThreadsMax = Math.min(availableParallelism(), 4);

const entry = new URL(`./file-thread-entry${extname(import.meta.url)}`, import.meta.url);
let threads: MessageThread<ThreadQuestion, true>[] = [];

/** Has a thread work on files; the results of the question then say how far it came. */
export async function workOnFiles(question: ThreadQuestion): Promise<void> {
  await freeThread().ask(question);
}

function freeThread(): MessageThread<ThreadQuestion, true> {
  const [least] = threads.toSorted((a, b) => a.waiting - b.waiting);
  if (least !== undefined && (least.waiting === 0 || threads.length === fileThreadsMax))
    return least;
  const thread: MessageThread<ThreadQuestion, true> = new MessageThread(entry, () => {
    // What it had begun is done again one by one; the next question gets another.
    threads = threads.filter((other) => other !== thread);
  });
  threads.push(thread);
  return thread;
}
