import type { ObjectRef } from "#model/copy.ts";
import type { ByteStream } from "#model/driver.ts";
import type { ContentForm } from "#model/object-content.ts";

/** Content on this machine whose CID is known, ready to be handed in. */
export interface PreparedContent extends AsyncDisposable {
  readonly object: ObjectRef;
  readonly form: ContentForm;
  /** What its source calls it; undefined when that has no name for it. */
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly modified: Date | undefined;
  /** Links and other things in a directory that are no content. */
  readonly leftOut: readonly string[];
  /** The bytes from their start. */
  open(): ByteStream;
}
