import { beforeEach, expect, test } from "vitest";
import { Authenticator, requireNamespace, requireOperator } from "./auth.ts";

let asked: string[];
let now: number;
let away: boolean;
let authenticator: Authenticator;

beforeEach(() => {
  asked = [];
  now = 0;
  away = false;
  authenticator = new Authenticator({
    operatorIdentity: "lemnis-system/lemnis",
    now: () => now,
    review: async (token) => {
      if (away) throw new Error("no route to host");
      asked.push(token);
      return token === "bad" ? { authenticated: false } : { authenticated: true, username: token };
    },
  });
});

const identify = (account: string) =>
  authenticator.identify({ authorization: `Bearer system:serviceaccount:${account}` });

test("a service account is known by its token, and asked about once a minute", async () => {
  expect(await identify("team-a:default")).toEqual({ namespace: "team-a", name: "default", isOperator: false });
  expect(await identify("lemnis-system:lemnis")).toMatchObject({ isOperator: true });
  await identify("team-a:default");
  expect(asked).toHaveLength(2);
  now = 60_000;
  await identify("team-a:default");
  expect(asked).toHaveLength(3);
});

test.each([
  ["no header", undefined, 401],
  ["another scheme", "Basic abc", 401],
  ["a token that is none", "Bearer bad", 401],
  ["a person's token", "Bearer alice", 401],
  ["a node's token", "Bearer system:node:n1", 401],
])("%s is refused", async (_, header, status) => {
  await expect(authenticator.identify({ authorization: header })).rejects.toMatchObject({ status });
});

test("what comes by way of the API server has its token in a header of its own, which comes before Authorization", async () => {
  const token = "system:serviceaccount:team-a:default";
  expect(await authenticator.identify({ "lemnis-token": token })).toMatchObject({ namespace: "team-a" });
  const both = { "lemnis-token": token, authorization: "Bearer system:serviceaccount:team-b:default" };
  expect(await authenticator.identify(both)).toMatchObject({ namespace: "team-a" });
  for (const header of ["", "bad", "a b", `${token}, ${token}`]) {
    const refused = authenticator.identify({ ...both, "lemnis-token": header });
    await expect(refused, header).rejects.toMatchObject({ status: 401 });
  }
});

test("a refusal is asked about again, and an API server that is away is a passing failure", async () => {
  for (let times = 0; times < 2; times++)
    await expect(authenticator.identify({ authorization: "Bearer bad" })).rejects.toThrow();
  expect(asked).toEqual(["bad", "bad"]);
  away = true;
  await expect(identify("team-a:default")).rejects.toMatchObject({ status: 503, code: "ReviewUnavailable" });
});

test("callers use their own namespace, the operator all, and decisions are the operator's", async () => {
  const [own, operator] = [await identify("team-a:default"), await identify("lemnis-system:lemnis")];
  requireNamespace(own, "team-a");
  requireNamespace(operator, "team-a");
  requireOperator(operator);
  expect(() => requireNamespace(own, "team-b")).toThrow(/team-a\/default may use namespace team-a only/);
  expect(() => requireOperator(own)).toThrow(/the operator's alone/);
});
