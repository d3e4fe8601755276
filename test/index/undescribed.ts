/** What a new object says of itself when nobody knows more than its bytes. */
export const undescribed = {
  type: undefined,
  collection: undefined,
  owner: undefined,
  tags: [],
  created: undefined,
  modified: undefined,
} as const;
