/** A spec that must be accepted, or refused with a message that names the field. */
export interface Case {
  title: string;
  kind: string;
  spec: unknown;
  /** What a refusal must say, in zod's words and in the API server's; absent: the spec is accepted. */
  refused?: RegExp;
}

export const accept = (kind: string, title: string, spec: unknown): Case => ({ kind, title, spec });
export const refuse = (kind: string, title: string, spec: unknown, refused: RegExp): Case => ({
  kind,
  title,
  spec,
  refused,
});

export const digest = `sha256:${"a".repeat(64)}`;
export const container = { image: "python:3.12" };
