/** Runs a story under a fault, and says which invariants did not hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { StoreClient } from "../../operator/store/client.ts";
import { type Rig, startRig } from "../rig/cluster.ts";
import { Player } from "../rig/player.ts";
import { Crew } from "./crew.ts";
import { difference, endState } from "./end-state.ts";
import { History } from "./history.ts";
import { violations, writesWithoutLease } from "./invariants.ts";
import type { Write } from "./proxy.ts";
import { type Stage, settle, stages, tearDown, User } from "./story.ts";

/** What a fault works with. */
export interface Scene {
  rig: Rig;
  user: User;
  crew: Crew;
  /** 0 to 1; the seed decides. */
  random: () => number;
}

/** One run of a fault. */
export interface Run {
  name: string;
  replicas?: number;
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

export interface Result {
  run: Run;
  violations: string[];
  writes: readonly Write[];
  restarts: number;
  seconds: number;
}

export class Campaign {
  readonly rig: Rig;
  readonly #player: Player;
  readonly #history: History;
  readonly #store: StoreClient;
  readonly #seed: number;
  #runs = 0;
  #reference = "";

  private constructor(rig: Rig, seed: number) {
    [this.rig, this.#seed] = [rig, seed];
    this.#player = new Player(rig.client, rig.storeUrl);
    this.#history = new History(rig.client);
    this.#store = new StoreClient({ url: rig.storeUrl, token: async () => "lemnis-system:lemnis" });
  }

  /** Brings the rig up and runs the story undisturbed: its writes are W1 to Wn, and its end is everybody's. */
  static async start(seed: number): Promise<{ campaign: Campaign; reference: Result }> {
    const campaign = new Campaign(await startRig({ controllerManager: true }), seed);
    await campaign.#history.synced;
    const reference = await campaign.run({ name: "undisturbed" });
    return { campaign, reference };
  }

  async run(run: Run): Promise<Result> {
    const from = performance.now();
    const number = ++this.#runs;
    const namespace = `run-${number}`;
    await this.rig.makeNamespace(namespace);
    const user = new User(this.rig, this.#player, namespace);
    const crew = await Crew.start(this.rig, run.replicas, run.env);
    const scene = { rig: this.rig, user, crew, random: randomOf(this.#seed + number) };
    const found: string[] = [];
    try {
      found.push(...(run.play ? await run.play(scene) : await this.#tell(run, scene)));
    } catch (error) {
      found.push(error instanceof Error ? error.message : String(error));
    } finally {
      await crew.stop();
    }
    const ofRun = this.#history.happenings.filter(
      ({ at, object: { metadata } }) => at >= from && [namespace, "kube-system"].includes(metadata.namespace ?? ""),
    );
    const writes = crew.writes().map(({ write }) => write);
    found.push(...violations(ofRun, writes), ...writesWithoutLease(ofRun, crew.writes()));
    return { run, violations: found, writes, restarts: crew.restarts, seconds: (performance.now() - from) / 1000 };
  }

  /** The whole story under the fault, and what is to hold at its end. */
  async #tell(run: Run, scene: Scene): Promise<string[]> {
    const { user } = scene;
    const end = (await run.begin?.(scene)) ?? (() => {});
    for (const stage of stages) {
      await run.beforeStage?.(scene, stage);
      await stage.run(user);
    }
    await end();
    await settle(user);
    const found = [...((await run.after?.(scene)) ?? []), ...(await this.#atRest(scene))];
    found.push(...(await this.#records(user.namespace)));
    const state = endState(this.#history.now(user.namespace), user.namespace);
    this.#reference ||= state;
    const differs = difference(this.#reference, state);
    if (differs) found.push(`L1: the end state differs: ${differs}`);
    await tearDown(user);
    return found;
  }

  /** S5: at rest nothing is written, nor after a restart. */
  async #atRest({ crew }: Scene): Promise<string[]> {
    for (let before = -1; before !== crew.writes().length; await sleep(1_000)) before = crew.writes().length;
    const before = crew.writes().length;
    await crew.kill();
    await sleep(2_500);
    const written = crew.writes().slice(before);
    return written.map(({ write: { verb, plural, name } }) => `S5: ${verb} ${plural} ${name} at rest, after a restart`);
  }

  /** S4: what was acknowledged is there once. */
  async #records(namespace: string): Promise<string[]> {
    const [{ versions }, { runs }] = await Promise.all([
      this.#store.model(namespace, "wine"),
      this.#store.trainingJob(namespace, "wine"),
    ]);
    const found = [];
    if (versions.length !== 2) found.push(`S4: the store has ${versions.length} versions of the model, not 2`);
    if (runs.length !== 2 || runs.some(({ phase }) => phase !== "Succeeded"))
      found.push(`S4: the store has the runs ${runs.map(({ phase }) => phase).join(", ")}`);
    return found;
  }

  async stop(): Promise<void> {
    await this.#history.stop();
    await this.#player.stop();
    await this.#store.close();
    await this.rig.stop();
  }
}

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
