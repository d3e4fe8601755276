import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { prepareDirectory, wrapFile } from "#engine/callers/prepare-directory.ts";
import { prepareFile } from "#engine/callers/prepare-file.ts";
import type { PreparedContent } from "#engine/callers/prepared-content.ts";
import { receiveUrl } from "#engine/callers/receive-url.ts";
import { spoolStream, temporaryFolder } from "#engine/callers/spool-stream.ts";
import { counted, type Work } from "#engine/callers/work-steps.ts";
import { localFileError } from "#jobs/local-file-error.ts";
import { EngineError } from "#model/engine-error.ts";
import type {
  ObjectContentApi,
  StoredObject,
  ContentFacts,
  StoreObjectRequest,
} from "#model/object-content.ts";

/** What to add, and how. */
export interface AddOptions {
  /** Paths, URLs, or `-` for standard input. */
  readonly sources: readonly string[];
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly profile: string;
  /** Of what comes as a stream. */
  readonly bytesMax: number;
  /** In a directory of its own, under its name. */
  readonly wrap: boolean;
  /** In the place of what the source is called. */
  readonly name?: string;
  readonly facts: ContentFacts;
  /** Only computes CIDs when there is no engine to hand them to. */
  readonly api: Pick<ObjectContentApi, "storeObject"> | undefined;
}

export interface AddedContent {
  readonly source: string;
  readonly cid: string;
  readonly size: number;
  readonly name: string | undefined;
  /** Links and other things that are not in it. */
  readonly leftOut: readonly string[];
  /** Undefined when only the CID was wanted. */
  readonly stored: StoredObject | undefined;
}

/** What became of each source, in order. */
export interface AddOutcome {
  readonly added: readonly AddedContent[];
  readonly failed: readonly { readonly source: string; readonly error: EngineError }[];
}

/** Adds one source after the other. One that fails is told and does not stop the others. */
export async function addContents(options: AddOptions, work: Work): Promise<AddOutcome> {
  const added: AddedContent[] = [];
  const failed: { source: string; error: EngineError }[] = [];
  for (const source of options.sources) {
    try {
      added.push(await addContent(source, options, work));
    } catch (thrown) {
      work.signal.throwIfAborted();
      failed.push({ source: safeName(source), error: EngineError.from(thrown) });
    }
  }
  return { added, failed };
}

async function addContent(source: string, options: AddOptions, work: Work): Promise<AddedContent> {
  await using folder = await temporaryFolder();
  await using content = await prepare(source, folder.path, options, work);
  const { object, leftOut } = content;
  const name = options.name ?? content.name;
  const facts = { source: safeName(source), cid: object.cid, size: object.size, name, leftOut };
  if (options.api === undefined) return { ...facts, stored: undefined };
  const request: StoreObjectRequest = {
    ...object,
    form: content.form,
    ...options.facts,
    ...(name === undefined ? {} : { names: [name] }),
    ...(content.type === undefined ? {} : { type: content.type }),
    ...(content.modified === undefined ? {} : { modified: content.modified.toISOString() }),
  };
  work.bytes = 0;
  // A CAR is some more than its content.
  work.bytesTotal = content.form === "file" ? object.size : undefined;
  const stored = await options.api.storeObject(request, counted(content.open(), work));
  return { ...facts, stored };
}

/** Finds out what a source is, and its CID. Streams are kept in the folder meanwhile. */
async function prepare(
  source: string,
  folder: string,
  options: AddOptions,
  work: Work,
): Promise<PreparedContent> {
  const { profile, wrap, name: given } = options;
  const prepared = { profile, work };
  if (source !== "-" && !isUrl(source)) {
    const path = resolve(options.cwd, source);
    const facts = await stat(path).catch((thrown: unknown) => {
      throw isAddress(source) ? otherAddress(source) : localFileError(thrown, path);
    });
    if (facts.isDirectory()) return await prepareDirectory(path, prepared);
    if (!facts.isFile()) {
      throw new EngineError("USAGE", `${path} is neither a file nor a folder`, {
        hint: `read it as a stream: thermocline objects add - --name NAME < ${source}`,
      });
    }
    if (!wrap) return await prepareFile(path, prepared);
    return await wrapFile({ path, name: basename(path) }, prepared);
  }
  const { signal } = work;
  const { bytesMax } = options;
  const onWait = (message: string): void => work.problem(message);
  const asked = { signal, bytesMax, onWait };
  const received = isUrl(source) ? await receiveUrl(source, asked) : undefined;
  const name = received?.name ?? (given === undefined ? undefined : basename(given));
  const path = join(folder, "content");
  await spoolStream(received?.stream ?? options.stdin, path, { work, bytesMax });
  if (wrap && name === undefined) {
    throw new EngineError("USAGE", "what is wrapped in a directory needs a name there", {
      hint: "give it one with --name",
    });
  }
  if (wrap) return await wrapFile({ path, name: name ?? "" }, prepared);
  const file = await prepareFile(path, prepared);
  return { ...file, name, type: received?.type, modified: received?.modified };
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

function isAddress(source: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(source);
}

function otherAddress(source: string): EngineError {
  const [scheme = ""] = source.split("://", 1);
  const pipe = "thermocline objects add - --name NAME";
  const isFile = scheme.toLowerCase() === "file";
  return new EngineError("USAGE", `${safeName(source)}: ${scheme} addresses cannot be added`, {
    hint: isFile
      ? "give the path of the file"
      : `files, directories, http and https URLs can; fetch it otherwise and pipe it in: … | ${pipe}`,
  });
}

/** A source as messages may show it: addresses without name, password and query. */
function safeName(source: string): string {
  if (!isAddress(source)) return source;
  const url = URL.parse(source);
  if (url === null) return `${source.split("://", 1)[0]}://…`;
  return `${url.protocol}//${url.host}${url.pathname}`;
}
