/** The house stays as it was built: who may import whom, and how large a file may be. */
import { describe, expect, test } from "vitest";
import { importsIn, paths, type Source, sources } from "./tree.ts";

const isTest = ({ path }: Source) => path.endsWith(".test.ts");
const program = sources.filter((source) => source.path.startsWith("operator/") && !isTest(source));
const within = (...folders: string[]) =>
  program.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));
/** Imports of these sources that match, as "file imports name". */
const imports = (of: readonly Source[], pattern: RegExp) =>
  of.flatMap(({ path, imports }) =>
    imports.filter((name) => pattern.test(name)).map((name) => `${path} imports ${name}`),
  );

describe("imports", () => {
  test("are seen, however they are written: what is missed here breaks no rule below", () => {
    const text = [
      'import one from "a";',
      'import type {\n  Two,\n} from "./b.ts";',
      'export * from "../c.ts";',
      'import "d";',
      'const e = await import("e");',
      'let f: import("f").F;',
    ];
    expect(importsIn(text.join("\n"))).toEqual(["a", "./b.ts", "../c.ts", "d", "e", "f"]);
    // Own files are found by path, so that a rule about a folder meets each of them.
    const own = sources.flatMap(({ imports }) => imports).filter((name) => /^(operator|test|scripts)\//.test(name));
    expect(own.length).toBeGreaterThan(500);
    expect(own.filter((name) => !paths.includes(name))).toEqual([]);
  });

  test("client-node is known to operator/kube alone, and undici to those who call servers", () => {
    expect(
      imports(
        program.filter(({ path }) => !path.startsWith("operator/kube/")),
        /^@kubernetes\/client-node/,
      ),
    ).toEqual([]);
    const callers = /^operator\/(kube|store\/(client|token-review)|agent\/(source|evaluate))/;
    expect(
      imports(
        program.filter(({ path }) => !callers.test(path)),
        /^undici$/,
      ),
    ).toEqual([]);
  });

  test("the kinds know zod and each other", () => {
    expect(imports(within("operator/api/v1alpha1/"), /^(?!zod$|operator\/api\/v1alpha1\/)/)).toEqual([]);
  });

  test("the runtime and kube know no kind, no store and no agent", () => {
    expect(
      imports(within("operator/runtime/", "operator/kube/"), /^operator\/(api|controllers|store|agent)\//),
    ).toEqual([]);
  });

  test("a profile's arithmetic and pictures know the store's contract and nothing that acts", () => {
    expect(imports(within("operator/profile/"), /^operator\/(?!profile\/|store\/api\.ts$)|^node:/)).toEqual([]);
  });

  test("the plugin knows kube and profiles, and of the rest what is said, not who says it", () => {
    const known = /^operator\/(cli|kube|profile|api)\/|^operator\/store\/(api|auth|token-review)\.ts$/;
    const own = within("operator/cli/").flatMap(({ imports }) =>
      imports.filter((name) => name.startsWith("operator/")),
    );
    expect(own.filter((name) => !known.test(name))).toEqual([]);
  });

  test("planners do no I/O: controllers know neither servers, files nor databases", () => {
    expect(
      imports(
        within("operator/controllers/"),
        /^(node:(fs|http|net|child_process|sqlite)|undici|fastify|@duckdb|@aws-sdk)/,
      ),
    ).toEqual([]);
    expect(imports(within("operator/controllers/"), /^operator\/agent\/(?!tasks\.ts$)/)).toEqual([]);
    expect(imports(within("operator/controllers/"), /^operator\/store\/(?!(api|client)\.ts$)/)).toEqual([]);
  });

  test("the agent and the store know nothing of the operator", () => {
    expect(imports(within("operator/agent/"), /^operator\/(kube|runtime|controllers)\//)).toEqual([]);
    expect(imports(within("operator/store/"), /^operator\/(kube|runtime|controllers|agent)\//)).toEqual([]);
  });

  test("the program knows no test; its unit tests know the builders, and the API server's client by way of kube", () => {
    expect(imports(program, /^test\//)).toEqual([]);
    const unit = sources.filter((source) => source.path.startsWith("operator/") && isTest(source));
    expect(imports(unit, /^test\/(?!builders\/)/)).toEqual([]);
    const strangers = sources.filter(
      ({ path }) => !/^(operator\/kube|test\/(integration|rig|bench|faults))\//.test(path),
    );
    expect(imports(strangers, /^@kubernetes\/client-node/)).toEqual([]);
  });
});

test("the programs' main.ts alone read the environment and listen to signals", () => {
  const others = program.filter(({ path }) => !/^operator\/(cli\/)?main\.ts$/.test(path));
  const reads = /\bprocess\??\.(env|on|once|addListener|prependListener)\b|\bprocess\[|\} = process\b/;
  expect(others.filter(({ text }) => reads.test(text)).map(({ path }) => path)).toEqual([]);
  expect(imports(others, /^(node:)?process$/)).toEqual([]);
});

test("planners take the time as an argument", () => {
  const planners = program.filter(({ path }) => /^operator\/controllers\//.test(path));
  expect(
    planners.filter(({ text }) => /new Date\(\)|Date\.now\(\)|Math\.random/.test(text)).map(({ path }) => path),
  ).toEqual([]);
});

describe("files", () => {
  test("have one idea: at most 250 lines", () => {
    const long = sources.filter(({ text }) => text.split("\n").length > 251);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test("are named for what is in them", () => {
    const names = sources.map(({ path }) => path).filter((path) => !path.endsWith("api/v1alpha1/common.ts"));
    expect(names.filter((path) => !/^[a-z0-9/-]+(\.[a-z0-9-]+)*\.m?ts$/.test(path))).toEqual([]);
    expect(names.filter((path) => /[/.-](utils?|common|helpers?|misc)[/.]/.test(path))).toEqual([]);
  });

  test("skip no test, and leave none alone", () => {
    const marks = /\b(test|it|describe)\.(skip|only|todo)\b|^\s*(xit|xdescribe|fit|fdescribe)\(/m;
    const skipping = sources.filter(
      ({ path, text }) => path !== "test/repository/architecture.test.ts" && marks.test(text),
    );
    expect(skipping.map(({ path }) => path)).toEqual([]);
  });

  test("that are generated are the CRDs and the lock file", () => {
    expect(paths.filter((path) => /^(dist|build|coverage)\/|\.(js|map|d\.ts)$/.test(path))).toEqual([]);
  });
});
