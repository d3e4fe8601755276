import { permitExpired } from "#jobs/permit-expired.ts";
import { callsToStore, type Throttle } from "#jobs/limits/throttle.ts";
import type { ObjectRef } from "#model/copy.ts";
import { bodyThrough } from "#model/body-through.ts";
import type {
  ByteStream,
  Driver,
  GroupOptions,
  ObjectGroups,
  RemoveOptions,
} from "#model/driver.ts";
import { EngineError } from "#model/engine-error.ts";
import { requireGroups } from "#model/groups-with.ts";
import { requireGarbage } from "#model/require-garbage.ts";
import { requireNamedFiles } from "#model/require-named-files.ts";
import type { RemovalPermit } from "#model/removal.ts";

/** Calls for many objects, which count as one for each thing that is done with each of them. */
const inGroups: ReadonlySet<string> = new Set(["readGroup", "storeGroup"]);

/** Calls that look at a backend as a whole: they are counted and never wait. */
const neverWaits: ReadonlySet<string> = new Set(["status", "close"]);

/**
 * A driver that keeps to the limits of its backend: each call waits for its turn, bytes go no
 * faster than they may, and when the backend asks to slow down, everybody does. What a check
 * read inside the storage client is made good afterwards.
 */
export function limitedDriver(driver: Driver, throttle: Throttle): Driver {
  const call = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    try {
      return await act();
    } catch (thrown) {
      heed(throttle, EngineError.from(thrown));
      throw thrown;
    }
  };
  const named = () => requireNamedFiles(driver, driver.kind);
  const waiting =
    (method: Method): Method =>
    async (...args) => {
      await throttle.request(signalOf(args.at(-1)));
      await refuseExpired(args[1], args.at(-1));
      return call(() => method(...args));
    };
  const special: Partial<Driver> = {
    read: async (object, copy, options) => {
      await throttle.request(options?.signal);
      const stream = await call(() => driver.read(object, copy, options));
      return throttle.pace("download", stream, options?.signal);
    },
    write: async (object, body, options) => {
      await throttle.request(options?.signal);
      const pace = (stream: ByteStream) => throttle.pace("upload", stream, options?.signal);
      return call(() => driver.write(object, bodyThrough(body, pace), options));
    },
    verify: async (object, level, options) => {
      await throttle.request(options?.signal);
      const evidence = await call(() => driver.verify(object, level, options));
      throttle.charge("download", evidence.bytesRead);
      return evidence;
    },
    readNamed: async (name, options) => {
      await throttle.request(options?.signal);
      const stream = await call(() => named().readNamed(name, options));
      return throttle.pace("download", stream, options?.signal);
    },
    writeNamed: async (name, body, options) => {
      await throttle.request(options?.signal);
      const stream = throttle.pace("upload", body.stream, options?.signal);
      const paced = { ...body, stream };
      return call(() => named().writeNamed(name, paced, options));
    },
    ...limitedGroups(driver, throttle, call),
    async *collectGarbage(options) {
      await throttle.request(options?.signal);
      yield* requireGarbage(driver, driver.kind).collectGarbage(options);
    },
    async *list(options) {
      await throttle.request(options?.signal);
      yield* driver.list(options);
    },
  };
  // Whatever else a driver has, optional facets too, passes through and waits for its turn.
  return new Proxy(driver, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof name !== "string" || typeof value !== "function") return value;
      // What may not pass at once goes in smaller parts, one object after the other.
      if (inGroups.has(name) && !throttle.takesGroups) return undefined;
      const method = value.bind(target) as Method;
      if (neverWaits.has(name)) {
        if (name === "status") throttle.charge("request", 1);
        return method;
      }
      return Reflect.get(special, name) ?? waiting(method);
    },
  });
}

/** When the backend asks to slow down, everybody does. */
function heed(throttle: Throttle, { code, retryAfterMs }: EngineError): void {
  if (code === "RATE_LIMITED" && retryAfterMs !== undefined) throttle.hold(retryAfterMs, true);
}

type Call = <Result>(act: () => Promise<Result>) => Promise<Result>;

/**
 * A group waits for its tokens before it begins; what its checks read is made good afterwards. It
 * ends with what it has done, so that the backend's wish to slow down comes beside that.
 */
function limitedGroups(driver: Driver, throttle: Throttle, call: Call): ObjectGroups {
  const heeding = (options: GroupOptions = {}): GroupOptions => ({
    ...options,
    onError: (error) => {
      heed(throttle, error);
      options.onError?.(error);
    },
  });
  return {
    readGroup: async (objects, options) => {
      await throttle.group("download", sizeOf(objects), objects.length, options?.signal);
      return call(() => requireGroups(driver).readGroup(objects, heeding(options)));
    },
    storeGroup: async (objects, bytes, options) => {
      const size = sizeOf(objects);
      await throttle.group("upload", size, objects.length * callsToStore, options?.signal);
      const stored = await call(() =>
        requireGroups(driver).storeGroup(objects, bytes, heeding(options)),
      );
      throttle.charge("download", size);
      return stored;
    },
  };
}

function sizeOf(objects: readonly ObjectRef[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

/** A machine that slept while a removal waited wakes with the timers of its signal to come. */
async function refuseExpired(argument: unknown, options: unknown): Promise<void> {
  if (!isPermit(argument)) return;
  // Who asks for the removal knows by which clock the permit counts.
  if (isConfirmed(options)) return options.confirm();
  if (Date.now() >= Date.parse(argument.expiresAt)) throw permitExpired(argument);
}

function isPermit(argument: unknown): argument is RemovalPermit {
  return typeof argument === "object" && argument !== null && "reserved" in argument;
}

function isConfirmed(options: unknown): options is Required<Pick<RemoveOptions, "confirm">> {
  return typeof options === "object" && options !== null && "confirm" in options;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The signal of a call's options, which come last. */
function signalOf(options: unknown): AbortSignal | undefined {
  if (typeof options !== "object" || options === null || !("signal" in options)) return undefined;
  return options.signal instanceof AbortSignal ? options.signal : undefined;
}
