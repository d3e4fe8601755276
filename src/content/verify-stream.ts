import { convertForm } from "#content/convert-form.ts";
import { profileNamed } from "#content/profile.ts";
import type { Form, ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";

/** Passes a copy's bytes on, checked in the form they are stored in; CORRUPT instead of an end. */
export function verifyStream(stream: ByteStream, form: Form, object: ObjectRef): ByteStream {
  return convertForm(stream, form, form, object);
}

/** Whether that check keeps no piece when it asks for the next: raw leaves are hashed at once. */
export function checksInPassing(form: Form, { profile }: ObjectRef): boolean {
  return form === "file" && profileNamed(profile).leaves === "raw";
}
