/** Tensors of the Open Inference Protocol v2, in its JSON form. */
import { z } from "zod";

export interface Tensor {
  name: string;
  shape: readonly number[];
  datatype: string;
  /** One cell each; null is a missing value. bigint keeps 64-bit integers whole. */
  data: readonly (number | bigint | string | boolean | null)[];
  parameters?: Readonly<Record<string, string>>;
}

export interface InferRequest {
  inputs: readonly Tensor[];
  parameters?: Readonly<Record<string, string>>;
  /** Names of the outputs that are wanted; absent: the model's own choice. */
  outputs?: readonly string[] | undefined;
}

/** The request as JSON. NaN and infinite numbers have no JSON form: NaN is null, as a missing value is. */
export function requestJson({ inputs, parameters, outputs }: InferRequest): string {
  const members = [`"inputs":[${inputs.map(tensorJson).join(",")}]`];
  if (parameters) members.push(`"parameters":${JSON.stringify(parameters)}`);
  if (outputs) members.push(`"outputs":${JSON.stringify(outputs.map((name) => ({ name })))}`);
  return `{${members.join(",")}}`;
}

function tensorJson({ data, ...head }: Tensor): string {
  const cells = data.map((cell) => (typeof cell === "bigint" ? cell.toString() : JSON.stringify(cell)));
  return `${JSON.stringify(head).slice(0, -1)},"data":[${cells.join(",")}]}`;
}

const outputTensor = z.object({
  name: z.string(),
  shape: z.array(z.number()),
  datatype: z.string().optional(),
  data: z.array(z.unknown()),
});
const inferResponse = z.object({ outputs: z.array(outputTensor).min(1) });

export type Cell = string | number | boolean;
export interface Output {
  name: string;
  datatype: string;
  /** One row for each row that was sent. */
  rows: Cell[][];
}

/** The outputs of an answer, as rows; the reason when it is none that fits `rows` rows. */
export function parseOutputs(body: unknown, rows: number): Output[] | string {
  const parsed = inferResponse.safeParse(body);
  if (!parsed.success) return "the answer has no outputs as the Open Inference Protocol defines them";
  const outputs: Output[] = [];
  for (const { name, shape, datatype = "", data } of parsed.data.outputs) {
    const cells = data.flat(Number.POSITIVE_INFINITY) as unknown[];
    if (!cells.every((cell) => ["string", "number", "boolean"].includes(typeof cell))) {
      return `output ${name} holds a value that is no number, text or boolean`;
    }
    if (cells.length === 0 || cells.length % rows !== 0) {
      return `output ${name} of shape [${shape.join(", ")}] has ${cells.length} values for ${rows} rows`;
    }
    const width = cells.length / rows;
    outputs.push({
      name,
      datatype,
      rows: Array.from({ length: rows }, (_, row) => cells.slice(row * width, (row + 1) * width) as Cell[]),
    });
  }
  return outputs;
}
