/** Registers versions and gives up all that nothing keeps, as fast as it can, until it is killed: see reclaiming.test.ts. */
import { datasetInput, openStore } from "../../builders/store.ts";

/** One dataset derived from the other, three files a version, of which the next one shares two; all that is old goes at once. */
async function churn(store: Awaited<ReturnType<typeof openStore>>, seed: number): Promise<void> {
  for (let index = seed * 1_000_000; ; index++) {
    const files = [];
    for (const part of [index, index + 1, index + 2]) {
      const file = await store.upload("a", `part ${part}`);
      files.push({ ...file, path: `all/${part}.csv` });
    }
    const { version: raw } = await store.datasets.register("a", "raw", datasetInput(files, { retain: 2 }));
    const derived = { ...(await store.upload("a", `derived ${index}`)), path: "all/derived.csv" };
    const parents = [{ dataset: "raw", version: raw.version, digest: raw.digest }];
    await store.datasets.register("a", "derived", datasetInput([derived], { retain: 1, parents }));
    await store.retention.retireAll();
    // Uploads of the last moment are somebody's who has yet to register them.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await store.blobs.collect(1);
    process.stdout.write(".");
  }
}

const [folder = "", seed = "0"] = process.argv.slice(2);
// Days go by between any two looks at the clock, and years between two processes.
let time = (2 + Number(seed)) * 1e12;
const now = () => {
  time += 48 * 3600_000;
  return time;
};
await churn(await openStore({ folder, now }), Number(seed));
