/** SIGKILL: around each write, after every write, and again and again under many objects. */
import type { Row, Run, Scene } from "../campaign.ts";
import type { Fate } from "../proxy.ts";
import { counted, throughout } from "./acts.ts";
import { underLoad } from "./load.ts";

async function kill({ crew }: Scene): Promise<Fate> {
  await crew.kill();
  return "cut";
}

const before = (index: number): Run => ({
  ...throughout(`before write ${index + 1}`, (scene) => {
    const isIt = counted(scene, index);
    return { onRequest: async (exchange): Promise<Fate> => (isIt(exchange) ? kill(scene) : "pass") };
  }),
  waits: true,
});

const after = (index: number): Run => ({
  ...throughout(`after write ${index + 1}, before its answer`, (scene) => {
    const isIt = counted(scene, index);
    return { onWritten: async (write): Promise<Fate> => (isIt(write) ? kill(scene) : "pass") };
  }),
  waits: true,
});

/** Each process writes once. */
const afterEach: Run = {
  ...throughout("after each write of each process", (scene) => ({ onWritten: () => kill(scene) })),
  long: true,
};

export const crashes: readonly Row[] = [
  { fault: "SIGKILL before a write", perWrite: before },
  { fault: "SIGKILL after a commit", perWrite: after, runs: [afterEach] },
  {
    fault: "leader killed again and again",
    runs: [underLoad({ count: 30, everySeconds: 2 }), { ...underLoad({ count: 250, everySeconds: 20 }), long: true }],
  },
];
