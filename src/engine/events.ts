import type { EngineEvent, EngineEventType } from "#model/engine-event.ts";

type Listener<Type extends EngineEventType> = (event: Extract<EngineEvent, { type: Type }>) => void;

/**
 * The one place where the parts of the engine hear what has become true in the index. Nothing
 * is kept: who must not miss anything reads the index when it starts.
 */
export class EngineEvents {
  readonly #listeners = new Map<EngineEventType, Set<(event: EngineEvent) => void>>();

  /** Listens until the function it returns is called. */
  on<Type extends EngineEventType>(type: Type, listener: Listener<Type>): () => void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    const heard = listener as (event: EngineEvent) => void;
    listeners.add(heard);
    return () => {
      listeners.delete(heard);
    };
  }

  /** Tells every listener; they do their work later, in their own time. */
  emit(event: EngineEvent): void {
    for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
  }
}
