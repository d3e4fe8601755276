/** Connections to PostgreSQL that nodes hold for so many lanes (see postgres-store.ts). */
export function neededConnections(lanes: number): {
  readonly controller: number;
  readonly worker: number;
} {
  // A worker has a pool of two and a LISTEN connection per lane.
  const perWorkedQueue = 3;
  // The controller works on two queues (results, schedules), looks into these and each lane,
  // makes flows and holds the lease; three more are for sessions that come and go.
  const perOwnQueue = perWorkedQueue + 1;
  return { controller: 2 * perOwnQueue + lanes + 2 + 3, worker: lanes * perWorkedQueue };
}
