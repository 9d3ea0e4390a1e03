/** Line breaks to YAML 1.1, and characters that it does not allow outside of escapes. */
const oddToYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** JSON that is the same in YAML, which is what the API server reads an apply as. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(oddToYaml, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, "0")}`);
