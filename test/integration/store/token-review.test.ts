/** Who a caller is, asked of a real API server with tokens that it issued. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Authenticator } from "../../../operator/store/auth.ts";
import { audience, createReview } from "../../../operator/store/token-review.ts";
import { run } from "../../cluster/command.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { binary } from "../../cluster/tools.ts";

let plane: ControlPlane;
let folder: string;
let authenticator: Authenticator;

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: true });
  folder = await mkdtemp(join(tmpdir(), "lemnis-review-"));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, `${plane.token}\n`);
  await kubectl("create", "namespace", "team-a");
  await kubectl("-n", "team-a", "create", "serviceaccount", "trainer");
  authenticator = new Authenticator({
    review: await createReview({ server: plane.url, caFile: plane.caFile, tokenFile }),
    operatorIdentity: "team-a/trainer",
  });
});
afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

const kubectl = async (...args: string[]) => run(await binary("kubectl"), ["--kubeconfig", plane.kubeconfig, ...args]);
const tokenFor = async (aud: string) =>
  (await kubectl("-n", "team-a", "create", "token", "trainer", `--audience=${aud}`)).trim();

test("a token for the store's audience is its service account's", async () => {
  const caller = await authenticator.identify({ authorization: `Bearer ${await tokenFor(audience)}` });
  expect(caller).toEqual({ namespace: "team-a", name: "trainer", isOperator: true });
});

test.each([
  ["for another audience", () => tokenFor("https://kubernetes.default.svc")],
  ["with a signature that is wrong", async () => `${(await tokenFor(audience)).slice(0, -6)}AAAAAA`],
  ["of an administrator", async () => plane.token],
  ["that is none", async () => "abc"],
])("a token %s is refused", async (_, token) => {
  await expect(authenticator.identify({ authorization: `Bearer ${await token()}` })).rejects.toMatchObject({
    status: 401,
  });
});

test("a service account that is gone has no more say", async () => {
  await kubectl("-n", "team-a", "create", "serviceaccount", "gone");
  const token = (await kubectl("-n", "team-a", "create", "token", "gone", `--audience=${audience}`)).trim();
  await kubectl("-n", "team-a", "delete", "serviceaccount", "gone");
  await expect(authenticator.identify({ authorization: `Bearer ${token}` })).rejects.toMatchObject({ status: 401 });
});

test("an API server that is away is a passing failure", async () => {
  const token = await tokenFor(audience);
  await plane.killApiServer();
  const fresh = new Authenticator({
    review: await createReview({ server: plane.url, caFile: plane.caFile, tokenFile: join(folder, "token") }),
    operatorIdentity: "a/b",
  });
  await expect(fresh.identify({ authorization: `Bearer ${token}` })).rejects.toMatchObject({
    status: 503,
    code: "ReviewUnavailable",
  });
});
