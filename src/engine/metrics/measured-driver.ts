import { bodyThrough } from "#model/body-through.ts";
import type {
  ByteStream,
  Driver,
  GroupOptions,
  NamedFiles,
  ObjectGroups,
  OnPart,
  WriteBody,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { requireGroups } from "#model/groups-with.ts";
import type { Measurements } from "#model/metric.ts";
import { requireGarbage } from "#model/require-garbage.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import { SinglePiece } from "#model/single-piece.ts";

/** A driver whose calls and bytes are counted; otherwise the same. */
export function measuredDriver(
  driver: Driver,
  backend: string,
  measurements: Measurements,
): Driver {
  const ended = (op: string, outcome: string, count = 1): void => {
    if (count === 0) return;
    measurements.add("thermocline_driver_requests_total", { backend, op, outcome }, count);
  };
  const moved = (direction: Direction, bytes: number): void => {
    if (bytes === 0) return;
    measurements.add("thermocline_transferred_bytes_total", { backend, direction }, bytes);
  };
  const call = async <Result>(op: string, act: () => Promise<Result>): Promise<Result> => {
    try {
      const result = await act();
      ended(op, "ok");
      return result;
    } catch (thrown) {
      ended(op, EngineError.from(thrown).code);
      throw thrown;
    }
  };
  const counted =
    (op: string, method: Method): Method =>
    (...args) =>
      call(op, () => method(...args));
  const special: Partial<Driver> = {
    read: async (object, copy, options) => {
      // A read that is opened ends with its stream, one that is refused ends here.
      const stream = await driver.read(object, copy, options).catch((thrown: unknown) => {
        ended("read", EngineError.from(thrown).code);
        throw thrown;
      });
      return watched(
        stream,
        (bytes) => moved("read", bytes),
        (outcome) => ended("read", outcome),
      );
    },
    write: countedWrite(driver, { call, moved, ended }),
    ...objectGroups(driver, { call, moved, ended }),
    ...namedFiles(driver, { call, moved, ended }),
    verify: async (object, level, options) => {
      const evidence = await call("verify", () => driver.verify(object, level, options));
      moved("verify", evidence.bytesRead);
      return evidence;
    },
    list: (options) => watchedItems(driver.list(options), (outcome) => ended("list", outcome)),
    collectGarbage: (options) =>
      watchedItems(requireGarbage(driver, driver.kind).collectGarbage(options), (outcome) => {
        ended("collectGarbage", outcome);
      }),
    close: () => driver.close(),
  };
  // Whatever else a driver has, optional facets too, passes through and is counted by its name.
  return new Proxy(driver, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof name !== "string" || typeof value !== "function") return value;
      return Reflect.get(special, name) ?? counted(name, value.bind(target) as Method);
    },
  });
}

/** `resumed`: what a write found there of an earlier try, and did not send. */
type Direction = "read" | "write" | "resumed" | "verify";

interface Counting {
  readonly call: <Result>(op: string, act: () => Promise<Result>) => Promise<Result>;
  readonly moved: (direction: Direction, bytes: number) => void;
  readonly ended: (op: string, outcome: string, count?: number) => void;
}

/** Counts bytes that are sent, and apart from them those that were there of an earlier try. */
function countedWrite(driver: Driver, { call, moved }: Counting): Driver["write"] {
  const passing = (stream: ByteStream): ByteStream =>
    watched(
      stream,
      (bytes) => moved("write", bytes),
      () => undefined,
    );
  return (object, body, options) => {
    const onPart: OnPart = (what, bytes) => {
      moved(what === "sent" ? "write" : "resumed", bytes);
      options?.onPart?.(what, bytes);
    };
    return call("write", () =>
      driver.tellsParts === true
        ? driver.write(object, body, { ...options, onPart })
        : driver.write(object, bodyThrough(noting(body, moved), passing), options),
    );
  };
}

function noting(body: WriteBody, moved: Counting["moved"]): WriteBody {
  const { resume } = body;
  if (resume === undefined) return body;
  return {
    ...body,
    resume: (left) => {
      moved("resumed", left.bytes);
      return resume(left);
    },
  };
}

/** What is done with each object of a group counts as if it were done alone. */
function objectGroups(driver: Driver, { moved, ended }: Counting): ObjectGroups {
  const group = async <Result>(
    op: string,
    options: GroupOptions | undefined,
    act: (counting: GroupOptions) => Promise<Result>,
  ): Promise<Result> => {
    const failed = (thrown: unknown): void => ended(op, EngineError.from(thrown).code);
    const onError = (error: EngineError): void => {
      failed(error);
      options?.onError?.(error);
    };
    try {
      return await act({ ...options, onError });
    } catch (thrown) {
      failed(thrown);
      throw thrown;
    }
  };
  return {
    readGroup: async (objects, options) => {
      const read = await group("read", options, (counting) =>
        requireGroups(driver).readGroup(objects, counting),
      );
      const found = read.bytes.filter((bytes) => bytes !== undefined);
      ended("read", "ok", found.length);
      moved(
        "read",
        total(found, ({ length }) => length),
      );
      return read;
    },
    storeGroup: async (objects, bytes, options) => {
      const stored = await group("write", options, (counting) =>
        requireGroups(driver).storeGroup(objects, bytes, counting),
      );
      const copies = stored.filter((copy) => copy !== undefined);
      ended("write", "ok", copies.length);
      ended("verify", "ok", copies.length);
      moved(
        "write",
        total(copies, ({ copy, moved: isNew }) => (isNew ? copy.bytes : 0)),
      );
      moved(
        "verify",
        total(copies, ({ evidence }) => evidence.bytesRead),
      );
      return stored;
    },
  };
}

function total<Item>(items: readonly Item[], bytesOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + bytesOf(item), 0);
}

function namedFiles(
  driver: Driver,
  { call, moved, ended }: Counting,
): Pick<NamedFiles, "readNamed" | "writeNamed"> {
  const files = () => requireNamedFiles(driver, driver.kind);
  return {
    readNamed: async (name, options) => {
      const stream = await files().readNamed(name, options);
      return watched(
        stream,
        (bytes) => moved("read", bytes),
        (outcome) => ended("readNamed", outcome),
      );
    },
    writeNamed: (name, body, options) => {
      const stream = watched(
        body.stream,
        (bytes) => moved("write", bytes),
        () => undefined,
      );
      return call("writeNamed", () => files().writeNamed(name, { ...body, stream }, options));
    },
  };
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** Passes a stream on, piece by piece, and says how it ended. */
function watched(
  stream: ByteStream,
  onBytes: (bytes: number) => void,
  onEnd: (outcome: string) => void,
): ByteStream {
  if (!(stream instanceof SinglePiece)) return watchedPieces(stream, onBytes, onEnd);
  return new SinglePiece(async () => {
    try {
      const bytes = await stream.take();
      onBytes(bytes.length);
      onEnd("ok");
      return bytes;
    } catch (thrown) {
      onEnd(EngineError.from(thrown).code);
      throw thrown;
    }
  });
}

async function* watchedPieces(
  stream: ByteStream,
  onBytes: (bytes: number) => void,
  onEnd: (outcome: string) => void,
): ByteStream {
  let outcome = "ok";
  try {
    for await (const piece of stream) {
      onBytes(piece.length);
      yield piece;
    }
  } catch (thrown) {
    outcome = EngineError.from(thrown).code;
    throw thrown;
  } finally {
    onEnd(outcome);
  }
}

async function* watchedItems<Item>(
  items: AsyncIterable<Item>,
  onEnd: (outcome: string) => void,
): AsyncGenerator<Item> {
  let outcome = "ok";
  try {
    yield* items;
  } catch (thrown) {
    outcome = EngineError.from(thrown).code;
    throw thrown;
  } finally {
    onEnd(outcome);
  }
}
