import type { ObjectSources, StoredObject } from "#model/object-content.ts";

export const sampleStored: StoredObject = {
  cid: "bafkreistored",
  size: 6,
  backend: "hot",
  form: "file",
  bytes: 6,
  confidence: "verified",
  kept: [{ fact: "collection", value: "atlas", given: "other" }],
  moved: true,
  added: false,
};

export const sampleSources: ObjectSources = {
  cid: "bafkreistored",
  size: 6,
  profile: "unixfs-v1-2025",
  type: undefined,
  names: ["/é"],
  sources: [{ backend: "hot", tier: "hot", form: "file", confidence: "verified" }],
  damaged: ["cold"],
};
