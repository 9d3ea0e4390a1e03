/** The store is away, locked, full, or damaged: nothing that it acknowledged is lost, and a condition says what is wrong. */
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Task } from "../../../operator/agent/tasks.ts";
import { StoreClient } from "../../../operator/store/client.ts";
import type { Row, Run, Scene } from "../campaign.ts";
import { ourKinds, type Seen } from "../history.ts";
import { patienceMs } from "../user.ts";

/** Waits until a condition of an object says so. */
async function untilSaid({ user }: Scene, text: RegExp): Promise<Seen> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const objects = (await Promise.all(ourKinds.map((kind) => user.list(kind)))).flat();
    const said = objects.find(({ status }) =>
      status?.conditions?.some(({ reason, message }: Seen) => text.test(`${reason}: ${message}`)),
    );
    if (said) return said;
    if (performance.now() > deadline) throw new Error(`S4: no condition says ${text}`);
    await sleep(50);
  }
}

const killed: Run = {
  name: "until a condition says so",
  beforeStage: async (scene, { name }) => {
    if (name !== "retrain") return;
    await scene.rig.store.kill();
    scene.meanwhile(untilSaid(scene, /^StoreUnavailable/).finally(() => scene.rig.store.restart()));
  },
};

/** The pages of the database are overwritten while the store is away: it refuses to start, until a copy is put back. */
const damaged: Run = {
  name: "its pages overwritten, until a condition says so and a copy is put back",
  beforeStage: async (scene, { name }) => {
    if (name !== "retrain") return;
    const { rig, volume } = scene;
    const path = join(volume.dir, "lemnis.db");
    await rig.store.kill();
    emptyLog(volume.dir);
    const copy = readFileSync(path);
    const hurt = Buffer.from(copy);
    for (let page = 4096; page < hurt.length; page += 4096) hurt.fill(0xff, page, page + 64);
    writeFileSync(path, hurt);
    const refused = await rig.store.restart().catch((error: Error) => error.message);
    if (!/lemnis\.db is damaged.*restore/.test(refused ?? "")) throw new Error(`S4: the store started: ${refused}`);
    const mend = async () => {
      writeFileSync(path, copy);
      await rig.store.restart();
    };
    scene.meanwhile(untilSaid(scene, /^StoreUnavailable/).finally(mend));
  },
};

/** Does this when the second version's task is done. Until then the operator sleeps: what follows from the task it is to do under the fault. */
function when(verb: Task["verb"], name: string, act: (scene: Scene, task: Task) => Promise<void>): Run {
  return {
    name,
    beforeStage: (scene, stage) => {
      if (stage.name !== "retrain") return;
      const { player, namespace } = scene.user;
      player.around = async (task, perform) => {
        if (task.verb !== verb || task.namespace !== namespace) return perform();
        const operator = scene.crew.operator();
        operator?.signal("SIGSTOP");
        try {
          await perform();
          player.around = undefined;
          await act(scene, task);
        } finally {
          operator?.signal("SIGCONT");
        }
      };
    },
  };
}

type End = () => void | Promise<void>;

/** Hurts the database until a condition says so. */
const hurt = (name: string, begin: (scene: Scene) => End | Promise<End>, says: RegExp): Run =>
  when("evaluate", name, async (scene) => {
    const end = await begin(scene);
    scene.meanwhile(untilSaid(scene, says).finally(end));
  });

/** Between an evaluation and the decision that follows from it. */
const killedAtWork = hurt(
  "after an evaluation, until a condition says so",
  ({ rig }) => {
    const gone = rig.store.kill();
    return () => gone.then(() => rig.store.restart());
  },
  /^StoreUnavailable/,
);

function lock({ volume }: Scene): () => void {
  const database = new DatabaseSync(join(volume.dir, "lemnis.db"), { timeout: 30_000 });
  database.exec("BEGIN EXCLUSIVE");
  return () => {
    database.exec("ROLLBACK");
    database.close();
  };
}

function emptyLog(folder: string): void {
  const database = new DatabaseSync(join(folder, "lemnis.db"), { timeout: 30_000 });
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}

/** The log of writes is empty when the volume is full: what has room in it would be written all the same. */
async function fill({ volume }: Scene): Promise<() => void> {
  do {
    volume.makeRoom();
    emptyLog(volume.dir);
    volume.fill();
  } while (statSync(join(volume.dir, "lemnis.db-wal")).size > 0);
  // What the store removes leaves no room either.
  const kept = setInterval(() => volume.fill(), 20);
  return () => {
    clearInterval(kept);
    volume.makeRoom();
  };
}

/** A byte of the model is flipped before it is judged. When a condition says so, it is mended, and the failed Job deleted. */
const corrupt = when("publish", "a byte of the model flipped, until a condition says so", async (scene, task) => {
  if (task.verb !== "publish") return;
  const { user, rig, volume } = scene;
  const store = new StoreClient({ url: rig.storeUrl, token: async () => `${user.namespace}:default` });
  const { versions } = await store.model(user.namespace, task.model.name);
  const latest = await store.getModelVersion(user.namespace, task.model.name, String(versions[0]?.version));
  await store.close();
  const hex = latest.files[0]?.digest.slice("sha256:".length) ?? "";
  const path = join(volume.dir, "blobs", user.namespace, "sha256", hex.slice(0, 2), hex);
  flip(path);
  scene.meanwhile(
    untilSaid(scene, /other bytes than sha256/).finally(async () => {
      flip(path);
      const failed = (job: Seen) => job.status?.conditions?.some(({ type }: Seen) => type === "Failed");
      for (const job of (await user.list("Job")).filter(failed)) await user.delete("Job", job.metadata.name);
    }),
  );
});

function flip(path: string): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, 0);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(file, byte, 0, 1, 0);
  closeSync(file);
}

/** The store's PostgreSQL, in the middle of what follows from an evaluation. */
const databaseKilled: Run = {
  ...hurt(
    "after an evaluation, until a condition says so",
    async ({ postgres }) => {
      await postgres?.kill();
      return () => postgres?.restart();
    },
    /^StoreUnavailable: .*PostgreSQL does not answer/,
  ),
  postgres: true,
};

const databaseKilledAgain: Run = {
  name: "every second, through the whole story",
  postgres: true,
  begin: ({ postgres, note }) => {
    let isOver = false;
    const killing = (async () => {
      let times = 0;
      for (; !isOver; times++) {
        await sleep(1_000);
        await postgres?.kill();
        await postgres?.restart();
      }
      note(`killed ${times} times`);
    })();
    return () => {
      isOver = true;
      return killing;
    };
  },
};

export const stores: readonly Row[] = [
  { fault: "store killed", runs: [killed, killedAtWork] },
  { fault: "store's database damaged", runs: [damaged] },
  { fault: "store locked", runs: [hurt("until a condition says so", lock, /^StoreUnavailable: .*locked/)] },
  { fault: "store's disk full", runs: [hurt("until a condition says so", fill, /^StoreUnavailable: .*full/)] },
  { fault: "store's PostgreSQL killed", runs: [databaseKilled, databaseKilledAgain] },
  { fault: "artifact corrupt", runs: [{ ...corrupt, long: true }] },
];
