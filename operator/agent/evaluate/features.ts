/** From the held-out rows to the tensors that the model takes. */
import type { ColumnType } from "../../store/api.ts";
import { permanent } from "../failure.ts";
import type { TypedColumn } from "../table/typed.ts";
import type { ModelInput } from "./client.ts";
import type { InferRequest, Tensor } from "./tensor.ts";

export type Value = Tensor["data"][number];

export interface Feature {
  name: string;
  type: ColumnType;
  /** Its place in a row. */
  index: number;
  /** A null is somewhere in the held-out rows. */
  nullable: boolean;
}

/** Makes a request of rows; a row has one value for each column of the dataset. */
export type Encoder = (rows: readonly (readonly Value[])[]) => InferRequest;

/**
 * One input in the model's metadata: one tensor of all features, which must be numbers. Several: those columns, by name.
 * None: a tensor for each feature, which MLServer makes a pandas DataFrame of (content type `pd`).
 */
export function chooseEncoder(inputs: readonly ModelInput[], features: readonly Feature[]): Encoder {
  const [first] = inputs;
  if (first && inputs.length === 1) return matrixEncoder(first, features);
  if (first) {
    return columnsEncoder(
      inputs.map((input) => {
        const feature = features.find(({ name }) => name === input.name);
        if (feature) return { feature, datatype: input.datatype };
        throw permanent("PredictionFailed", `the model has an input ${input.name}, but the dataset has no such column`);
      }),
    );
  }
  return columnsEncoder(features.map((feature) => ({ feature, datatype: datatypeOf(feature) })));
}

function matrixEncoder({ name }: ModelInput, features: readonly Feature[]): Encoder {
  const text = features.filter(({ type }) => type !== "Double" && type !== "Int64");
  if (text.length > 0) {
    const names = text.map(({ name, type }) => `${name} (${type})`).join(", ");
    throw permanent("PredictionFailed", `the model takes one tensor of numbers, but these columns are none: ${names}`);
  }
  return (rows) => ({
    inputs: [
      {
        name,
        shape: [rows.length, features.length],
        datatype: "FP64",
        data: rows.flatMap((row) => features.map(({ index }) => number(row[index]))),
      },
    ],
  });
}

function columnsEncoder(columns: readonly { feature: Feature; datatype: string }[]): Encoder {
  for (const { feature, datatype } of columns) {
    if (feature.nullable && !/^FP|^BYTES$/.test(datatype)) {
      throw permanent(
        "PredictionFailed",
        `column ${feature.name} has missing values, which its datatype ${datatype} can't hold: fill them, or leave the rows out`,
      );
    }
  }
  return (rows) => ({
    parameters: { content_type: "pd" },
    inputs: columns.map(({ feature, datatype }) => ({
      name: feature.name,
      shape: [rows.length, 1],
      datatype,
      data: rows.map((row) => convert(row[feature.index], datatype)),
      ...(datatype === "BYTES" ? { parameters: { content_type: "str" } } : {}),
    })),
  });
}

/** Integers with missing values are floats to pandas, so the model was trained on floats. */
function datatypeOf({ type, nullable }: Feature): string {
  if (type === "Double" || (type === "Int64" && nullable)) return "FP64";
  if (type === "Int64") return "INT64";
  return type === "Boolean" ? "BOOL" : "BYTES";
}

function convert(value: Value | undefined, datatype: string): Value {
  if (value === null || value === undefined) return null;
  if (datatype.startsWith("FP")) return number(value);
  return datatype === "BYTES" ? String(value) : value;
}

/** NaN is a missing value, and has no JSON form either. */
function number(value: Value | undefined): number | null {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  const converted = Number(value);
  if (Number.isFinite(converted)) return converted;
  throw permanent(
    "PredictionFailed",
    "the held-out data holds an infinite number, which JSON has no form for: leave such rows out",
  );
}

/** The columns that the model is given: those without a role. Keys, times and weights are no features, and the label is the answer. */
export function featuresOf(columns: readonly TypedColumn[], nullable: ReadonlySet<string>): Feature[] {
  return columns.flatMap(({ name, type, role }, index) =>
    role ? [] : [{ name, type, index, nullable: nullable.has(name) }],
  );
}
