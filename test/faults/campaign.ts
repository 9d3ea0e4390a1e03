/** Runs a story under a fault, and says which invariants did not hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreClient } from "../../operator/store/client.ts";
import { waitUntil } from "../cluster/progress.ts";
import { type Rig, startRig } from "../rig/cluster.ts";
import { Player } from "../rig/player.ts";
import { type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { Crew } from "./crew.ts";
import { difference, endState } from "./end-state.ts";
import { History, ourKinds } from "./history.ts";
import { violations, writesElsewhere, writesWithoutLease } from "./invariants.ts";
import type { Write } from "./proxy.ts";
import { randomOf } from "./random.ts";
import { lostRecords } from "./records.ts";
import { type Stage, settle, stages, tearDown } from "./story.ts";
import { patienceMs, User } from "./user.ts";
import { type Volume, volumeOf } from "./volume.ts";

/** What a fault works with. */
export interface Scene {
  rig: Rig;
  user: User;
  crew: Crew;
  history: History;
  /** The store's. */
  volume: Volume;
  /** Has the store's metadata, in a run that asks for it. */
  postgres: PostgresServer | undefined;
  /** 0 to 1; the seed decides. */
  random: () => number;
  /** Goes on beside the story, whose end waits for it. */
  meanwhile: (work: Promise<unknown>) => void;
  /** For the log. */
  note: (text: string) => void;
  /** Says that the fault has found its occasion. */
  met: () => void;
}

/** One run of a fault. */
export interface Run {
  name: string;
  /** Only in the long form of the campaign. */
  long?: true;
  /** The fault waits for an occasion: a run in which it finds none says nothing. */
  waits?: true;
  replicas?: number;
  /** The store's metadata moves to a PostgreSQL of the run's own. */
  postgres?: true;
  /** Settings of the operator, beside the usual ones. */
  env?: Record<string, string>;
  /** Begins the fault; what it returns ends it, before the story is to settle. */
  begin?: (scene: Scene) => void | (() => void | Promise<void>) | Promise<void | (() => void | Promise<void>)>;
  beforeStage?: (scene: Scene, stage: Stage) => void | Promise<void>;
  /** What it must come to beside the end that all have. Returns violations. */
  after?: (scene: Scene) => string[] | Promise<string[]>;
  /** Instead of the story. Returns violations. */
  play?: (scene: Scene) => Promise<string[]>;
}

export interface Row {
  fault: string;
  runs?: readonly Run[];
  /** One for each write of the undisturbed story. */
  perWrite?: (index: number) => Run;
}

export interface Result {
  run: Run;
  violations: string[];
  notes: string[];
  /** False when the fault has found no occasion. */
  isMet: boolean;
  writes: readonly Write[];
  /** How many of the writes were of the story, before its end was waited for. */
  told: number;
  restarts: number;
  seconds: number;
}

/** Longer than a revision drains in these runs. */
const quietMs = 2_500;

export class Campaign {
  readonly #rig: Rig;
  readonly #volume: Volume;
  readonly #player: Player;
  readonly #history: History;
  readonly #store: StoreClient;
  readonly #seed: number;
  #runs = 0;
  /** Writes of the story that was told last. */
  #told = 0;
  #reference = "";

  private constructor(rig: Rig, volume: Volume, seed: number) {
    [this.#rig, this.#volume, this.#seed] = [rig, volume, seed];
    this.#player = new Player(rig.client, rig.storeUrl);
    this.#history = new History(rig.client);
    this.#store = new StoreClient({ url: rig.storeUrl, token: async () => "lemnis-system:lemnis" });
  }

  /** Brings the rig up and runs the story undisturbed: its writes are W1 to Wn, and its end is everybody's. */
  static async start(seed: number): Promise<{ campaign: Campaign; reference: Result }> {
    const volume = volumeOf();
    const campaign = new Campaign(await startRig({ controllerManager: true, storeDir: volume.dir }), volume, seed);
    await campaign.#history.synced;
    const reference = await campaign.run({ name: "undisturbed" });
    return { campaign, reference };
  }

  async run(run: Run): Promise<Result> {
    const from = performance.now();
    const number = ++this.#runs;
    const namespace = `run-${number}`;
    await this.#rig.makeNamespace(namespace);
    const postgres = run.postgres && (await startPostgres());
    if (postgres) await this.#rig.store.restart({ url: postgres.url(), ca: postgres.ca });
    const user = new User(this.#rig, this.#player, namespace);
    const crew = await Crew.start(this.#rig, run.replicas, run.env);
    const [found, notes]: [string[], string[]] = [[], []];
    const note = (text: string) => notes.push(text);
    const beside: Promise<unknown>[] = [];
    const meanwhile = (work: Promise<unknown>) => beside.push(work.catch((error: unknown) => found.push(told(error))));
    const random = randomOf(this.#seed, run.name);
    let isMet = !run.waits;
    const met = () => {
      isMet = true;
    };
    const around = { rig: this.#rig, volume: this.#volume, postgres, history: this.#history };
    const scene: Scene = { ...around, user, crew, random, meanwhile, note, met };
    this.#told = 0;
    try {
      found.push(...(run.play ? await run.play(scene) : await this.#tell(run, scene, beside)));
    } catch (error) {
      found.push(told(error));
      // The runs after this one are to find the cluster as it was.
      await tearDown(user).catch(() => undefined);
    } finally {
      await Promise.all(beside);
      await crew.stop();
      if (postgres) await this.#rig.store.restart().finally(() => postgres.stop());
      await this.#history.catchUp(namespace).catch((error: unknown) => found.push(told(error)));
    }
    // In every namespace: what is where it should not be is to be seen. Runs on one rig come one after the other.
    const ofRun = this.#history.happenings.filter(({ at }) => at >= from);
    const writes = crew.writes().map(({ write }) => write);
    found.push(...crew.crashes.map((log) => `crash: ${log}`));
    found.push(...violations(ofRun, { writes, foreign: user.versions }), ...writesWithoutLease(ofRun, crew.writes()));
    found.push(...writesElsewhere(writes, namespace));
    const seconds = (performance.now() - from) / 1000;
    const { restarts } = crew;
    return { run, violations: found, notes, isMet, writes, told: this.#told, restarts, seconds };
  }

  /** The whole story under the fault, and what is to hold at its end. */
  async #tell(run: Run, scene: Scene, beside: readonly Promise<unknown>[]): Promise<string[]> {
    const { user } = scene;
    const end = (await run.begin?.(scene)) ?? (() => {});
    try {
      for (const stage of stages) {
        await run.beforeStage?.(scene, stage);
        await stage.run(user);
      }
      this.#told = scene.crew.writes().length;
    } finally {
      await end();
    }
    await Promise.all(beside);
    await settle(user);
    const found = [...((await run.after?.(scene)) ?? []), ...(await atRest(scene))];
    found.push(...(await this.#records(user.namespace)));
    const state = await endState(user);
    this.#reference ||= state;
    const differs = difference(this.#reference, state);
    if (differs) found.push(`L1: the end state differs: ${differs}`);
    await tearDown(user);
    return found;
  }

  /** S4: what was acknowledged is there once. */
  async #records(namespace: string): Promise<string[]> {
    const [model, { runs }, { versions }] = await Promise.all([
      this.#store.model(namespace, "wine"),
      this.#store.trainingJob(namespace, "wine"),
      this.#store.dataset(namespace, "wine"),
    ]);
    return lostRecords({ model, runs, datasetVersions: versions });
  }

  async stop(): Promise<void> {
    await this.#history.stop();
    await this.#player.stop();
    await this.#store.close();
    await this.#rig.stop();
    this.#volume.remove();
  }
}

const told = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Waits until the operator has written nothing for a while, and nothing that it wrote is still on its way. */
export async function untilQuiet({ crew }: Scene): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let before = -1; before !== crew.changes().length || crew.underWay() > 0; await sleep(quietMs)) {
    if (performance.now() > deadline) throw new Error("S5: the operator does not come to rest");
    before = crew.changes().length;
  }
}

/** S5: at rest nothing is written, nor by another process that looks at everything for the first time. */
export async function atRest(scene: Scene): Promise<string[]> {
  const { crew, user } = scene;
  await untilQuiet(scene);
  const before = crew.writes().length;
  for (const index of crew.proxies.keys()) await crew.kill(index);
  const objects = (await Promise.all(ourKinds.map((kind) => user.list(kind)))).flat();
  const failure = () => new Error(`L1: no operator has looked at ${user.namespace} after a restart`);
  await waitUntil(() => crew.hasReconciled(objects), { timeoutMs: patienceMs, failure });
  return writtenSince(scene, before, "a restart");
}

/** What the API server refuses for good a process may try once, and once more should its minute be over. */
const triesAtRest = 2;

/** S5: what was written since there were so many writes, for as long as one more could follow from what has happened. */
export async function writtenSince({ crew }: Scene, before: number, event: string): Promise<string[]> {
  await sleep(quietMs);
  const writes = crew.writes().slice(before);
  const attempts = Map.groupBy(writes, ({ write: { verb, plural, name } }) => `${verb} ${plural} ${name}`);
  return [...attempts]
    .filter(([, tries]) => tries.length > triesAtRest || tries.some(({ write: { status } }) => status < 300))
    .map(([what, { length }]) => `S5: ${what} at rest, ${length} times after ${event}`);
}
