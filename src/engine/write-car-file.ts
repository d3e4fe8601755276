import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { fileToCar } from "#content/file-to-car.ts";
import { writePieces } from "#index/arrow/write-pieces.ts";
import type { ObjectRef } from "#model/copy.ts";

/** Writes a file as the blocks of a CAR, whole or not at all; its CID, which must be right, is the root. */
export async function writeCarFile(path: string, object: ObjectRef, car: string): Promise<void> {
  await placed(car, async (draft) => {
    const file = await open(draft, "wx");
    try {
      for await (const piece of fileToCar(createReadStream(path), object)) {
        await writePieces(file, [piece]);
      }
    } finally {
      await file.close();
    }
  });
}

/** The file appears whole, under its name, or not at all. */
export async function placed(file: string, write: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await write(draft);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
