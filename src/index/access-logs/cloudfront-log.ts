import { judgeRequest } from "#index/access-logs/judge-request.ts";
import { logTime } from "#index/access-logs/log-time.ts";
import type { ParsedAccess } from "#index/access-logs/parsed-access.ts";
import {
  cidOfHost,
  decodePath,
  isEncoded,
  requestedObject,
} from "#index/access-logs/requested-object.ts";

/** The first fields of a standard log, in their order, for a log whose header was cut off. */
const usualFields =
  "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status " +
  "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id " +
  "x-host-header";
const needed = ["date", "time", "cs-method", "cs-uri-stem", "sc-status"];

/** Whether a line begins as one of a CloudFront log does. */
export const cloudFrontBeginning = /^(#(Version|Fields):|\d{4}-\d\d-\d\d\t\d\d:\d\d:\d\d\t)/;

/**
 * Reads CloudFront standard logs: values between tabs, named by the line `#Fields:` (Amazon
 * CloudFront Developer Guide, "Standard logging reference"). Times are UTC. A ranged read counts
 * its share of the object's bytes as the index knows them.
 */
export class CloudFrontLog {
  #names = usualFields.split(" ");
  /** With a header, a line of another length was cut off or is of another log. */
  #isNamed = false;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  parse(line: string): ParsedAccess {
    if (line.startsWith("#")) return this.#readHeader(line);
    const values = line.split("\t");
    const isWhole = this.#isNamed
      ? values.length === this.#names.length
      : values.length >= this.#names.length;
    if (!isWhole) {
      return { problem: `${values.length} values for ${this.#names.length} fields of the log` };
    }
    const value = (name: string): string | undefined => {
      const found = values[this.#names.indexOf(name)];
      return found === "-" ? undefined : found;
    };
    const [method = "", status = ""] = [value("cs-method"), value("sc-status")];
    const other = judgeRequest(method, status, value("cs(User-Agent)"));
    if (other !== undefined) return other;
    const at = logTime(`${value("date")}T${value("time")}Z`);
    if (at === undefined) return { problem: `"${value("date")} ${value("time")}" is no time` };
    const object = this.#objectOf(value);
    if (object === undefined) return { problem: "the path is not percent-encoded soundly" };
    return { access: { object, at, weight: 1, ...shareOf(status, value) } };
  }

  #readHeader(line: string): ParsedAccess {
    if (!line.startsWith("#Fields:")) return { ignored: "header" };
    const names = line.slice("#Fields:".length).trim().split(/\s+/);
    const absent = needed.find((name) => !names.includes(name));
    if (absent !== undefined) return { problem: `the log has no field ${absent}` };
    this.#names = names;
    this.#isNamed = true;
    return { ignored: "header" };
  }

  #objectOf(value: (name: string) => string | undefined): string | undefined {
    const host = cidOfHost(value("x-host-header") ?? value("cs(Host)") ?? "");
    if (host !== undefined) return host;
    // The percent signs of what the viewer had encoded are encoded once more.
    const once = decodePath(value("cs-uri-stem") ?? "/");
    const path = once !== undefined && isEncoded(once) ? (decodePath(once) ?? once) : once;
    return path === undefined ? undefined : requestedObject(path, this.#prefix);
  }
}

/** Bytes of content of an answer to a range: what was asked for, else what was sent. */
function shareOf(
  status: string,
  value: (name: string) => string | undefined,
): { readonly bytes?: number } {
  if (status !== "206") return {};
  const [from, to] = [value("sc-range-start"), value("sc-range-end")];
  const asked = from === undefined || to === undefined ? NaN : Number(to) - Number(from) + 1;
  const sent = [asked, Number(value("sc-content-len")), Number(value("sc-bytes"))];
  const bytes = sent.find((count) => Number.isFinite(count) && count >= 0);
  return bytes === undefined ? {} : { bytes };
}
