/** Texts, names and addresses that users write, and those that break programs which take them for something else. */
import fc from "fast-check";

/** What the world of a campaign is to hold; every pool of names also has some that nothing goes by. */
export const pool = {
  objects: ["wine", "iris"],
  runtimes: ["sklearn", "mlserver"],
  configMaps: ["code"],
  secrets: ["s3"],
} as const;

/** Pieces of shells, paths, YAML, JSON, HTML and terminals; characters that YAML, Unicode or JavaScript treat apart. */
const nasty = [
  ...['"', "'", "`id`", "$(HOME)", "$$(A)", "; rm -rf /", "&& false", "--flag", "-", "%s", "\\", "a\\nb"],
  ...["..", "../../etc/passwd", "/", "%2e%2e%2f", "a\nb", "\r\n", "\t", " ", "a  ", "#", "- a: b", "{}", "[", "&a *a"],
  ...["null", "true", "~", "0", "1e3", "0x10", "<b>&amp;", "{{ .Values }}", "__proto__", "constructor", "toString"],
  ...["\u0001\u001b[31m", "\u007f", "\u0085", "\u0090", "\ufeff", "\u202e", "\u2028", "\ufffe\uffff"],
  ...["é", "e\u0301", "日本語", "😀", "\u{10ffff}", "İ", "ß"],
];

/** Any text of so many characters; seldom as long as can be. */
export function text(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const fitting = nasty.filter((value) => [...value].length >= minLength && [...value].length <= maxLength);
  return fc.oneof(
    { weight: 30, arbitrary: fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 12) }) },
    { weight: 20, arbitrary: fc.constantFrom(...fitting) },
    { weight: 1, arbitrary: fc.constantFrom("x", "\n", '"', "é", "😀").map((piece) => piece.repeat(maxLength)) },
  );
}

/** Mostly these, now and then those. */
const mostly = <T>(usual: readonly T[], odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const oddLabels = ["constructor", "0", "a--b", "x".repeat(63)];
const oddNames = ["absent", "constructor", "0", "a.b", "a..b", "x".repeat(253)];
const names = (usual: readonly string[]) => mostly([...usual, ...usual, "absent"], oddNames);
const labels = (...usual: string[]) => mostly(usual, oddLabels);

const files = [
  ...[
    "http://host/wine.csv",
    "s3://bucket/wine.csv",
    "s3://bucket/wine/",
    "gs://bucket/day=*/*.csv",
    "az://account/data/",
  ],
  ...["git+https://host/data.git", "git+ssh://git@host/data.git", "oci://registry:5000/data:1"],
  ...["pvc://claim/wine.csv", "configmap://code/a.csv"],
];
const uri = (...others: string[]) =>
  mostly(
    [...files, ...others],
    [
      ...["https://host:0/a?b=/c#d", "http://$(HOME)/'\"", "http://host/%2e%2e/a", "http://[::1]/", "http://:/a@b"],
      ...["pvc://a..b/c", "s3://日本/😀", "configmap://a", "pvc://claim", `https://host/${"x".repeat(2035)}`],
    ],
  );
const endpoint = mostly(
  ["http://minio:9000", "https://s3.local/"],
  ["http://a\nb", "http://u:p@h", "http://$(A)", "http://:", `http://${"x".repeat(1017)}`],
);
const schedule = mostly(
  ["*/15 * * * *", "0 3 * * 1", "* * * * *"],
  ["0 0 30 2 *", "99 * * * *", "a b c d e", "* * * * */0", "- , / * -", "0 0 * JAN MON", `* * * * ${"1".repeat(120)}`],
);
/** Names are made of a digest's beginning, which tells digests apart. */
export const digestOf = (number: number) => `sha256:${number.toString(16).padStart(4, "0").repeat(16)}`;
const digest = fc.nat(20).map(digestOf);

/** Fields whose texts mean something, by the end of their path. */
export const fields: readonly (readonly [RegExp, fc.Arbitrary<string>])[] = [
  [/(modelRef|datasetRef)\.name$/, names(pool.objects)],
  [/runtimeRef\.name$/, names(pool.runtimes)],
  [/configMap(Key)?Ref\.name$/, names(pool.configMaps)],
  [/(secret(Key)?Ref|imagePullSecrets\[\])\.name$/, names(pool.secrets)],
  [/formats?(\[\])?\.name$/, labels("sklearn", "sklearn", "xgboost")],
  [/(inputs\[\]\.name|split|splits\{\})$/, labels("train", "test", "validation")],
  [/(alias|aliases\{\})$/, labels("champion", "last-good", "canary")],
  [/(requests|limits)\{\}$/, mostly(["cpu", "memory"], ["nvidia.com/gpu", "constructor", "a b", "__proto__", ""])],
  [/source\.uri$/, uri("postgres://host/database", "postgres://host:5432/database?sslmode=require")],
  [/(^|\.)(uri|storageUri)$/, uri()],
  [/\.endpoint$/, endpoint],
  [/\.schedule$/, schedule],
  [/\.digest$/, digest],
];

/** Whole numbers, and texts that Kubernetes reads as quantities. */
export const quantity = fc.oneof(
  fc.constantFrom<string | number>("500m", "1Gi", "0.5", "2", "0", "1E", `${"9".repeat(31)}m`, -1, 2 ** 53 - 1),
  fc.nat(4),
);
