import { DraftFile } from "#engine/callers/draft-file.ts";
import type { Fetching } from "#engine/callers/fetching.ts";
import { EngineError } from "#model/engine-error.ts";
import type { ObjectSource } from "#model/object-content.ts";

/**
 * Fetches an object as the file it is, into a draft that is verified once more here. Goes on with
 * the next copy where one breaks off, and starts over where one turned out to be damaged.
 * Returns the backend that the last bytes came from; undefined when it is no file.
 */
export async function fetchFile(fetching: Fetching, draft: DraftFile): Promise<string | undefined> {
  const { sources } = fetching.object;
  // Bytes of several copies that do not fit together are given up: then each copy is read alone.
  for (const source of [...sources, ...sources]) {
    if (fetching.isDamaged(source.backend)) continue;
    draft.goOnElsewhere();
    const found = await fromSource(fetching, source, draft);
    if (found === "whole") return source.backend;
    if (found === "no file") return undefined;
  }
  throw fetching.nothingLeft();
}

async function fromSource(
  fetching: Fetching,
  source: ObjectSource,
  draft: DraftFile,
): Promise<"whole" | "no file" | "not from there"> {
  const { api, work, object } = fetching;
  const { backend } = source;
  const offset = draft.size;
  try {
    work.bytes = offset;
    if (offset < object.size || object.size === 0) {
      const request = { object: object.cid, backend, form: "file" } as const;
      const from = offset === 0 ? request : { ...request, offset };
      for await (const bytes of api.readObject(from)) {
        work.signal.throwIfAborted();
        await draft.append(bytes);
        work.bytes = draft.size;
        if (draft.size > object.size) break;
      }
    }
  } catch (thrown) {
    work.signal.throwIfAborted();
    if (draft.failure !== undefined) throw draft.failure;
    const error = EngineError.from(thrown);
    if (error.code === "NOT_SUPPORTED" && source.form !== "file") {
      await draft.restart();
      return "no file";
    }
    if (await fetching.failed(backend, error)) await draft.restart();
    return "not from there";
  }
  const { isMixed } = draft;
  if (await draft.isWhole()) return "whole";
  if (isMixed) {
    work.problem(`${backend}: what was here before does not go with it: starting over`);
    return await fromSource(fetching, source, draft);
  }
  const wrong = new EngineError("CORRUPT", `what came is not ${object.cid}`);
  await fetching.failed(backend, wrong);
  return "not from there";
}
