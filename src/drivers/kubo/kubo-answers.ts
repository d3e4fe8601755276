export interface Pulled {
  readonly Progress?: number;
  readonly Pins?: readonly string[];
}

export interface FilesStat {
  readonly Type: string;
  readonly Size: number;
  readonly CumulativeSize: number;
}

export interface BlockStat {
  readonly Size?: number;
}

/** What is 0 is left out. */
export interface Walked {
  readonly TotalSize?: number;
  readonly DagStats?: readonly { readonly Size?: number }[];
}

export interface Imported {
  readonly Root?: ImportedRoot;
}

/** A root of an imported CAR: it is pinned unless the node says why not. */
export interface ImportedRoot {
  readonly Cid: { readonly "/": string };
  readonly PinErrorMsg?: string;
}

export interface Dropped {
  readonly Error?: string;
}

export interface Collected {
  readonly Key?: { readonly "/": string };
  readonly Error?: string;
}

export interface Pin {
  readonly Cid?: string;
  readonly Name?: string;
}
