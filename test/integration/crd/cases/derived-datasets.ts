import { accept, type Case, refuse } from "./case.ts";

const sales = { name: "sales", datasetRef: { name: "sales" } };
const weather = { name: "weather", datasetRef: { name: "weather", split: "train" } };
const transform = { sql: "SELECT * FROM sales" };
const derived = { from: [sales], transform };
const pointInTime = { rows: "sales", features: ["weather"], maxAge: "30d" };
const joined = (join: object, from: object[] = [sales, weather]) => ({ from, transform: { pointInTime: join } });
const names = /transform.pointInTime.rows and features must be names in from/;
const follows = /schedule, webhook and storage: Reference go with source/;

export const derivedDatasets: Case[] = [
  accept("Dataset", "the shortest derivation", derived),
  accept("Dataset", "a point-in-time join", joined(pointInTime)),
  accept("Dataset", "everything of a derivation", {
    from: [sales, weather],
    transform: { sql: "SELECT * FROM joined", pointInTime },
    format: "Parquet",
    schema: { columns: [{ name: "id", role: "Key" }] },
    expectations: [{ name: "rows", rows: { min: 1 } }],
    splits: { train: 80, test: 20 },
    online: { replicas: 2, resources: { limits: { memory: "1Gi" } } },
  }),
  refuse("Dataset", "source and from", { ...derived, source: { uri: "http://h/a" } }, /exactly one of source and from/),
  refuse("Dataset", "from without a transform", { from: [sales] }, /from and transform go together/),
  refuse("Dataset", "a transform of a source", { source: { uri: "http://h/a" }, transform }, /from and transform go/),
  refuse("Dataset", "an empty transform", { ...derived, transform: {} }, /transform.*give sql, pointInTime or both/s),
  refuse("Dataset", "a derivation in CSV", { ...derived, format: "CSV" }, /written as Parquet: leave format out/),
  refuse("Dataset", "a derivation by schedule", { ...derived, schedule: "0 * * * *" }, follows),
  refuse("Dataset", "a derivation by webhook", { ...derived, webhook: { tokenSha256: "a".repeat(64) } }, follows),
  refuse("Dataset", "a derivation by reference", { ...derived, storage: "Reference" }, follows),
  refuse("Dataset", "a dialect of a derivation", { ...derived, csv: { header: false } }, /csv goes with a source/),
  refuse("Dataset", "from nothing", { from: [], transform }, /from/),
  refuse("Dataset", "a table with a capital", { ...derived, from: [{ ...sales, name: "Sales" }] }, /from.*name/s),
  refuse("Dataset", "rows that from has not", joined({ ...pointInTime, rows: "prices" }), names),
  refuse("Dataset", "features that from has not", joined({ ...pointInTime, features: ["prices"] }), names),
  refuse("Dataset", "rows as features", joined({ ...pointInTime, features: ["sales"] }), names),
  refuse(
    "Dataset",
    "a table with the name of the result",
    joined({ rows: "sales", features: ["joined"] }, [sales, { ...weather, name: "joined" }]),
    /joined is the table that transform.pointInTime makes/,
  ),
  refuse("Dataset", "no features", joined({ rows: "sales", features: [] }), /features/),
];
