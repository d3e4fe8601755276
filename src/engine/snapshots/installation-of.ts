import type { ObjectIndex } from "#index/object-index.ts";

/** A name of the installation, which stays with every copy and snapshot of its index. */
export async function installationOf(index: ObjectIndex): Promise<string> {
  await using session = await index.session();
  const [row] = await session.rows({ text: "SELECT id FROM installation", parameters: [] });
  return String(row?.["id"]);
}
