/** The Datasets of examples/features, on data that is small enough to be checked by hand. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import { afterEach, beforeEach, expect, test } from "vitest";
import { datasetSpec } from "../../../operator/api/v1alpha1/dataset.ts";
import { parseDuration } from "../../../operator/api/v1alpha1/duration.ts";
import { deriveTask, makeInput, readRows } from "./derived.ts";
import { namespace, startWorld, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const file = join(import.meta.dirname, "../../../examples/features/datasets.yaml");
const manifests = loadAll(readFileSync(file, "utf8")) as { metadata: { name: string }; spec: unknown }[];
const specOf = (name: string) => datasetSpec.parse(manifests.find(({ metadata }) => metadata.name === name)?.spec);

interface Payment {
  customer: number;
  /** Milliseconds. */
  seen: number;
  amount: number;
}

const day = 86_400_000;
/** Some at the same instant, some a second apart, some after a long rest. */
const payments: Payment[] = Array.from({ length: 120 }, (_, index) => ({
  customer: index % 5,
  seen: Date.UTC(2026, 0, 1) + ((index * index) % 40) * day + (index % 3) * 1000,
  amount: 10 + ((index * 37) % 90),
}));
const checks = payments
  .filter((_, index) => index % 4 === 0)
  .concat({ customer: 9, seen: Date.UTC(2026, 1, 1), amount: 5 });

const csv = (header: string, rows: readonly Payment[], rest: string) =>
  `${header}\n${rows.map(({ customer, seen, amount }) => `${customer},${new Date(seen).toISOString()},${amount},${rest}\n`).join("")}`;

/** What was known of the customer before the payment, as a person would work it out. */
function known({ customer, seen, amount }: Payment) {
  const before = payments.filter((other) => other.customer === customer && other.seen + 1000 <= seen);
  const last = Math.max(...before.map((other) => other.seen));
  if (before.length === 0 || seen - (last + 1000) > 30 * day) return { n: 0, spent: 0, mean: amount, largest: amount };
  const within = (days: number) =>
    before.filter((other) => last - other.seen <= days * day).map(({ amount }) => amount);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const month = within(30);
  return { n: within(7).length, spent: sum(within(7)), mean: sum(month) / month.length, largest: Math.max(...month) };
}

async function makeSource(name: string, text: string): Promise<string> {
  const columns = specOf(name).schema?.columns ?? [];
  return makeInput(
    world,
    name,
    text,
    columns.map(({ name, type = "String", role }) => ({ name, type, ...(role ? { role } : {}) })),
  );
}

async function makeDerived(name: string, digests: Record<string, string>): Promise<string> {
  const { from = [], transform, splits, splitBy, splitSeed } = specOf(name);
  const { maxAge, ...join } = transform?.pointInTime ?? {};
  const inputs = Object.fromEntries(from.map(({ name, datasetRef }) => [name, digests[datasetRef.name] ?? ""]));
  const shares = Object.entries(splits ?? {}).map(([name, percent]) => ({ name, percent }));
  const { code, message } = await world.run(
    deriveTask(inputs, {
      dataset: name,
      sql: transform?.sql,
      ...(transform?.pointInTime
        ? {
            pointInTime: {
              ...(join as { rows: string; features: string[] }),
              ...(maxAge ? { maxAge: parseDuration(maxAge) } : {}),
            },
          }
        : {}),
      ...(splits ? { splits: { shares, seed: splitSeed, ...(splitBy ? { by: splitBy } : {}) } } : {}),
    }),
  );
  expect([code, message]).toEqual([0, expect.objectContaining({ version: 1 })]);
  return message.digest;
}

test("the training set has what was known of each customer before the payment, and nothing else", async () => {
  const digests = {
    payments: await makeSource("payments", csv("customer,seen,amount,abroad", payments, "0")),
    checks: await makeSource("checks", csv("customer,seen,amount,abroad,fraud", checks, "0,1")),
  };
  const customers = await makeDerived("customers", digests);
  await makeDerived("fraud", { ...digests, customers });
  const { columns, splits, parents } = await world.store.getDatasetVersion(namespace, "fraud", "1");
  expect(columns.map(({ name, type, role }) => `${name} ${type} ${role ?? ""}`.trim())).toEqual([
    "customer Int64 Key",
    "seen Timestamp Timestamp",
    "amount Double",
    "abroad Int64",
    "payments_7d Int64",
    "spent_7d Double",
    "mean_30d Double",
    "largest_30d Double",
    "fraud Int64 Label",
  ]);
  expect(Object.keys(splits).sort()).toEqual(["test", "train"]);
  expect(parents?.map(({ dataset }) => dataset)).toEqual(["checks", "customers"]);
  const rows = await readRows(world, "1", "fraud");
  const sorted = [...checks].sort((a, b) => a.seen - b.seen || a.customer - b.customer);
  const byTime = [...rows].sort((a, b) => `${a.seen} ${a.customer}`.localeCompare(`${b.seen} ${b.customer}`));
  expect(
    byTime.map(({ customer, payments_7d, spent_7d, mean_30d, largest_30d }) =>
      [customer, payments_7d, spent_7d, Number(mean_30d).toFixed(6), largest_30d].map(Number),
    ),
  ).toEqual(
    sorted.map((check) => {
      const { n, spent, mean, largest } = known(check);
      return [check.customer, n, spent, Number(mean.toFixed(6)), largest];
    }),
  );
});
