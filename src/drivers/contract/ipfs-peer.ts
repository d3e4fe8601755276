/** What an IPFS node is called among storages, whoever asks it to pin (`StorageIdentity`). */
export function ipfsPeer(id: string): string {
  return `node ${id}`;
}
