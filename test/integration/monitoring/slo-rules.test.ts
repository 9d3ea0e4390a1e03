/** The rules of an InferenceService's objectives, in the hands of Prometheus' own promtool: days of requests in seconds. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildPrometheusRule } from "../../../operator/controllers/inference-service/slo.ts";
import { inferenceService } from "../../builders/kinds.ts";
import { run } from "../../cluster/command.ts";
import { binary } from "../../cluster/tools.ts";

let folder: string;
let promtool: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lemnis-rules-"));
  promtool = await binary("promtool");
}, 900_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const slo = { availability: 99.9, latency: { threshold: "200ms", percent: 99 } };
async function rulesOf(objectives: object): Promise<string> {
  const { spec } = buildPrometheusRule(inferenceService({ slo: objectives })) as unknown as { spec: object };
  const file = join(folder, "rules.yaml");
  await writeFile(file, dump(spec));
  return file;
}

/** A counter, as `promtool` writes it: by this much a minute, for so many minutes, one stretch after the other. */
type Stretch = [perMinute: number, minutes: number];
function counter(...stretches: Stretch[]): string {
  let from = 0;
  const texts = stretches.map(([perMinute, minutes]) => {
    const text = `${from}+${perMinute}x${minutes}`;
    from += perMinute * (minutes + 1);
    return text;
  });
  return texts.join(" ");
}
const ofService = 'namespace="team-a",service="wine",app_name="mlserver"';
const predict = `${ofService},method="POST",path="/v2/models/{model_name}/infer"`;
const requests = (status: number, ...stretches: Stretch[]) => ({
  series: `rest_server_requests_total{${predict},status_code="${status}"}`,
  values: counter(...stretches),
});
/** Answers by the bounds of MLServer's histogram: this many a minute are no slower. */
const times = (minutes: number, fast: Record<string, number>, status = 200) =>
  Object.entries({ ...fast, all: fast["+Inf"] ?? 0 }).map(([le, perMinute]) => ({
    series:
      le === "all"
        ? `rest_server_request_duration_seconds_count{${predict},status_code="${status}"}`
        : `rest_server_request_duration_seconds_bucket{${predict},status_code="${status}",le="${le}"}`,
    values: counter([perMinute, minutes]),
  }));

/** What fires at a moment, such as `page 1h`; or what an expression gives. */
interface Expectation {
  at: string;
  firing?: string[];
  ratio?: { slo: string; window: string; is: number };
}
async function prove(series: object[], expectations: Expectation[]): Promise<void> {
  const rule = { rule_files: [await rulesOf(slo)], evaluation_interval: "5m" };
  const checks = expectations.flatMap(({ at, firing, ratio }) => [
    ...(firing
      ? [
          {
            expr: 'count by (alertname, severity, window) (ALERTS{alertstate="firing",inferenceservice="wine",namespace="team-a"})',
            eval_time: at,
            exp_samples: firing.map((labels) => ({ labels, value: 1 })),
          },
        ]
      : []),
    ...(ratio
      ? [
          {
            expr: `round(slo:sli_error:ratio_rate${ratio.window}{namespace="team-a",inferenceservice="wine",slo="${ratio.slo}"}, 0.0001)`,
            eval_time: at,
            exp_samples: [
              { labels: `{namespace="team-a",inferenceservice="wine",slo="${ratio.slo}"}`, value: ratio.is },
            ],
          },
        ]
      : []),
  ]);
  const file = join(folder, "test.yaml");
  await writeFile(file, dump({ ...rule, tests: [{ interval: "1m", input_series: series, promql_expr_test: checks }] }));
  expect(await run(promtool, ["test", "rules", file])).toContain("SUCCESS");
}
const burn = (severity: string, window: string) =>
  `{alertname="InferenceServiceErrorBudgetBurn",severity="${severity}",window="${window}"}`;
const day = 1440;

test.each<[string, object]>([
  ["both objectives", slo],
  ["availability alone", { availability: 99.999 }],
  ["a lenient latency between whole buckets", { latency: { threshold: "1.5s", percent: 90 } }],
  ["a threshold that is a bucket", { latency: { threshold: "10s", percent: 95 } }],
  ["the shortest threshold", { latency: { threshold: "5ms", percent: 99 } }],
])("the rules of %s are such as Prometheus loads", async (_, objectives) => {
  expect(await run(promtool, ["check", "rules", "--lint=all", "--lint-fatal", await rulesOf(objectives)])).toContain(
    "SUCCESS",
  );
});

describe("an error budget of 0.1 percent", () => {
  test("that is half used up over three days alerts nobody", async () => {
    const series = [requests(200, [1999, 3 * day]), requests(500, [1, 3 * day])];
    const healthy = ["10m", "1h", "6h", "1d", "3d"].map((at) => ({ at, firing: [] }));
    await prove(series, [...healthy, { at: "1d", ratio: { slo: "availability", window: "1h", is: 0.0005 } }]);
  });

  test("that burns twenty times too fast pages within the hour, and no more once that is over", async () => {
    const series = [requests(200, [2000, day], [1960, 59], [2000, 120]), requests(500, [0, day], [40, 59], [0, 120])];
    await prove(series, [
      { at: "1d", firing: [] },
      { at: "1d30m", firing: [] },
      { at: "1d55m", firing: [burn("page", "1h")], ratio: { slo: "availability", window: "5m", is: 0.02 } },
      { at: "1d1h15m", firing: [] },
    ]);
  });

  test("that burns eight times too fast pages within six hours", async () => {
    const series = [requests(200, [2000, day], [1984, 400]), requests(503, [0, day], [16, 400])];
    await prove(series, [
      { at: "1d2h", firing: [] },
      // In so young a service the three days' budget is gone too.
      { at: "1d6h", firing: [burn("page", "6h"), burn("ticket", "3d")] },
    ]);
  });

  test("that burns four times too fast is a ticket after a day, and pages nobody", async () => {
    const series = [requests(200, [1992, day + 60]), requests(500, [8, day + 60])];
    await prove(series, [{ at: "1d", firing: [burn("ticket", "1d"), burn("ticket", "3d")] }]);
  });

  test("is not used up by what the client got wrong, nor by probes", async () => {
    const probes = {
      series: `rest_server_requests_total{${ofService},method="GET",path="/v2/models/{model_name}/ready",status_code="503"}`,
    };
    const series = [requests(200, [100, 120]), requests(422, [100, 120]), { ...probes, values: counter([60, 120]) }];
    await prove(series, [{ at: "2h", firing: [], ratio: { slo: "availability", window: "1h", is: 0 } }]);
  });

  test("has no ratio where there are no requests", async () => {
    await prove([requests(200, [0, 120])], [{ at: "2h", firing: [] }]);
  });
});

describe("a latency of 200 ms for 99 percent", () => {
  test("is estimated between the buckets of 100 and 250 ms", async () => {
    const series = times(120, { "0.1": 980, "0.25": 995, "+Inf": 1000 });
    const failing = times(120, { "0.1": 1000, "0.25": 1000, "+Inf": 1000 }, 500);
    const ratio = { slo: "latency", window: "5m", is: 0.01 };
    // 980 + 15 × ⅔ of 1000 are fast enough; answers that are failures are not counted as fast.
    await prove([...series, ...failing, requests(200, [1000, 120])], [{ at: "2h", firing: [], ratio }]);
  });

  test("pages when a fifth of the answers are slow", async () => {
    const series = times(120, { "0.1": 800, "0.25": 800, "+Inf": 1000 });
    await prove(
      [...series, requests(200, [1000, 120])],
      [
        {
          at: "1h",
          firing: [burn("page", "1h"), burn("page", "6h"), burn("ticket", "1d"), burn("ticket", "3d")],
          ratio: { slo: "latency", window: "1h", is: 0.2 },
        },
      ],
    );
  });
});

test("a service that nobody measures is told of after half an hour", async () => {
  await prove(
    [],
    [
      { at: "20m", firing: [] },
      { at: "40m", firing: ['{alertname="InferenceServiceSLIMissing",severity="ticket"}'] },
    ],
  );
});
