/** An action that the plan would have for an object, with backends by name. */
export interface AnnouncedAction {
  readonly policy: string;
  readonly source: string | null;
  readonly target: string | null;
  readonly victim: string | null;
}
