/** How a kind is defined: what its CustomResourceDefinition is generated from. */
import type { z } from "zod";

/** A kind's names in the API, its schemas, and what kubectl get shows. */
export interface KindDefinition {
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  scope: "Namespaced" | "Cluster";
  description: string;
  spec: z.ZodType;
  status?: z.ZodType;
  columns: readonly PrinterColumn[];
}
export interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "number" | "date" | "boolean";
  jsonPath: string;
  description?: string;
  priority?: number;
}

export const readyColumn: PrinterColumn = {
  name: "Ready",
  type: "string",
  jsonPath: `.status.conditions[?(@.type=="Ready")].status`,
};
export const reasonColumn: PrinterColumn = {
  name: "Reason",
  type: "string",
  jsonPath: `.status.conditions[?(@.type=="Ready")].reason`,
};
export const ageColumn: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
