/** One life of a process of the simulation: a restart is a new node with the same name. */
export class SimulatedNode {
  readonly name: string;
  /** Counts the lives of processes of this name. */
  readonly life: number;
  /** How far its wall clock is from the true time. May jump. */
  skewMs: number;
  alive = true;
  /** Until this moment nothing happens in it (a stopped process), though the world goes on. */
  frozenUntil = 0;

  constructor(name: string, life: number, skewMs: number) {
    this.name = name;
    this.life = life;
    this.skewMs = skewMs;
  }

  toString(): string {
    return `${this.name}#${this.life}`;
  }
}
