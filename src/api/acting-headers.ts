import { type Acting, acting } from "#model/acting.ts";

const actorHeader = "thermocline-actor";
const reasonHeader = "thermocline-reason";
const actorLengthMax = 200;
const reasonLengthMax = 4_096;
/** A caller that gives no name has shown the token, and nothing else is known of it. */
const unnamed = "api";

/** Headers that tell the controller in whose name a call is made. */
export function actingHeaders(): Readonly<Record<string, string>> {
  const { actor, reason } = acting() ?? {};
  return {
    ...(actor === undefined ? {} : { [actorHeader]: encodeURIComponent(actor) }),
    ...(reason === undefined ? {} : { [reasonHeader]: encodeURIComponent(reason) }),
  };
}

/** In whose name a call was made. Whoever holds the token is believed. */
export function actingOf(header: (name: string) => string | undefined): Acting {
  const actor = decoded(header(actorHeader), actorLengthMax);
  return { actor: actor ?? unnamed, reason: decoded(header(reasonHeader), reasonLengthMax) };
}

function decoded(value: string | undefined, lengthMax: number): string | undefined {
  if (value === undefined || value === "") return undefined;
  try {
    return decodeURIComponent(value).slice(0, lengthMax);
  } catch {
    // Not encoded at all: what a person typed into a request by hand.
    return value.slice(0, lengthMax);
  }
}
