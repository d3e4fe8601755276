/** The text of one YAML file, with the name that diagnostics give it. */
export interface DocumentSource {
  /** As the person wrote it, relative where possible: `policies/cold.thermocline.yaml`. */
  readonly file: string;
  readonly text: string;
}
