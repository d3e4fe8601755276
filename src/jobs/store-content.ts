import { deliver, type Delivered, type Place } from "#jobs/deliver.ts";
import type { Form, ObjectRef } from "#model/copy.ts";
import type { ByteStream, CallOptions } from "#model/driver.ts";

/** Content from outside of all backends. */
export interface IncomingContent {
  readonly object: ObjectRef;
  /** How it comes. */
  readonly form: Form;
  /** Its bytes in a form, verified on the way. */
  readonly open: (form: Form) => ByteStream;
}

/** Stores content as it comes, or in the form that the backend prefers where it cannot. */
export function storeContent(
  { object, form, open }: IncomingContent,
  target: Place,
  call: CallOptions,
): Promise<Delivered> {
  const { forms } = target.driver.capabilities;
  const [preferred = form] = forms;
  const stored = forms.includes(form) ? form : preferred;
  const bytes = stored === "file" ? object.size : undefined;
  return deliver(object, { form: stored, bytes, open: () => open(stored) }, target, call);
}
