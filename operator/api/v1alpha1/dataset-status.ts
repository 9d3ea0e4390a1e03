/** What the operator tells of a Dataset. */
import { z } from "zod";
import { commonStatus, digest } from "./common.ts";

const datasetVersionStatus = z.strictObject({
  version: z.int().describe("Its number."),
  digest: digest.describe("The sha256 of its manifest."),
  rows: z.int().describe("How many rows it has."),
  bytes: z.int().describe("The size of its files."),
  createdAt: z.string().max(64).describe("When it was registered."),
});

export const datasetStatus = z.strictObject({
  ...commonStatus,
  version: z.int().optional().describe("The current version's number."),
  digest: digest.optional().describe("The current version: the sha256 of its manifest."),
  revision: z
    .int()
    .optional()
    .describe(
      "Which revision of the current version this is: its bytes with other columns, format or csv are the next. Absent: the first.",
    ),
  rows: z.int().optional().describe("How many rows the current version has."),
  bytes: z.int().optional().describe("The size of its files."),
  label: z.string().max(256).optional().describe("The column with the role Label."),
  splits: z.record(z.string().max(63), z.int()).meta({ maxProperties: 8 }).optional().describe("Rows by split."),
  newest: z
    .string()
    .max(64)
    .optional()
    .describe("The newest value of the column with the role Timestamp, unless it is sensitive."),
  lastChecked: z.string().max(64).optional().describe("When the source was last read to the end."),
  expectations: z
    .array(
      z.strictObject({
        name: z.string().max(63).describe("The expectation's name."),
        passed: z.boolean().describe("Whether the current version keeps it."),
        message: z.string().max(512).describe("What was found."),
      }),
    )
    .max(64)
    .optional()
    .describe("How the current version stands to the expectations."),
  parents: z
    .array(
      z.strictObject({
        name: z.string().max(253).describe("The Dataset."),
        version: z.int().describe("Its version."),
        digest: digest.describe("The version's digest."),
        revision: z.int().optional().describe("The version's revision. Absent: the first."),
      }),
    )
    .max(16)
    .optional()
    .describe("The versions that the current version was derived from."),
  progress: z.string().max(256).optional().describe("How far the reading that is under way has come."),
  url: z.string().max(512).optional().describe("Where the newest rows are served by key, with online."),
  look: z.string().max(128).optional().describe("Names the last look at the source that ended."),
  versions: z.array(datasetVersionStatus).max(10).optional().describe("The newest versions; the store has all."),
});
export type DatasetStatus = z.output<typeof datasetStatus>;
