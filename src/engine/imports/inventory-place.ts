/** A file of an S3 Inventory, as its manifest names it. */
export interface InventoryFile {
  readonly key: string;
  readonly bytes: number;
  /** In hexadecimal digits; absent from some services' manifests. */
  readonly md5: string | undefined;
}

/** Where an S3 Inventory lies. */
export interface InventoryPlace {
  /** The manifest.json in words for people. */
  readonly name: string;
  /** The text of the manifest.json. */
  manifest(): Promise<string>;
  /** Refuses at once what could not be read later, and clears what earlier inventories left. */
  expect(files: readonly InventoryFile[]): Promise<void>;
  /** One of them, checked, on this machine for as long as it is not disposed of. */
  open(file: InventoryFile): Promise<OpenInventoryFile>;
}

export interface OpenInventoryFile extends AsyncDisposable {
  readonly path: string;
}
