/** Connections to PostgreSQL that nodes hold for so many lanes (see postgres-store.ts). */
export function neededConnections(lanes: number): {
  readonly controller: number;
  readonly worker: number;
} {
  // A worker has a pool of two and a LISTEN connection per lane.
  const perWorkedQueue = 3;
  // The controller works on the queue of the index, looks into each lane, makes flows, and
  // holds the lease.
  return { controller: perWorkedQueue + 1 + lanes + 2, worker: lanes * perWorkedQueue };
}
