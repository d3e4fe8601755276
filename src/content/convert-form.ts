import { carToFile } from "#content/car-to-file.ts";
import { fileToCar } from "#content/file-to-car.ts";
import { verifyCar } from "#content/verify-car.ts";
import { verifyFile } from "#content/verify-file.ts";
import type { Form, ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/**
 * An object's bytes in one form → in another, verified on the way: where the result would end
 * it throws CORRUPT instead when the source was not the object. With equal forms it only
 * verifies. The form `dag` travels as a CAR. What is to be stored as a file must be one that can
 * be checked as one (see carToFile).
 */
export function convertForm(
  stream: ByteStream,
  from: Form,
  to: Form,
  object: ObjectRef,
  purpose: "read" | "store" = "read",
): ByteStream {
  if (from === "file")
    return to === "file" ? verifyFile(stream, object) : fileToCar(stream, object);
  return to === "file" ? carToFile(stream, object, purpose) : verifyCar(stream, object);
}
