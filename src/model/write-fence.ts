/** Stands before every write of the index; both calls throw LOCKED when it must not happen. */
export interface WriteFence {
  /** Before a write takes its turn: may obtain the right to write. */
  enter(): Promise<void>;
  /** At its beginning and right before it becomes real: the right is still held for certain. */
  confirm(): Promise<void>;
}
