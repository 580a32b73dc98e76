import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { problemText } from "../../src/config/problems.ts";
import { sampleText } from "../../src/config/sample.ts";
import { checkStack } from "../../src/stack/check-stack.ts";
import { loadStack } from "../../src/stack/load-stack.ts";
import { configOf } from "../config/config-fixture.ts";
import { packOf, writePack } from "./pack-fixture.ts";

const POSTGRESQL = "max_units: 1\nprovides: { database: { port: 5432 } }\n";
const DJANGO = `options:
  workers: { type: integer, default: 2, maximum: 64 }
  app: { type: source, required: true }
  database: { type: string }
provides: { web: { port: 8000 } }
requires: { database: { secret: true, name_option: database }, cache: { optional: true } }
secrets: { app_key: { summary: the key }, mail: { optional: true } }
`;
const HAPROXY = "requires: { backend: { interface: web } }\n";
const packs = new Map(
  [
    packOf("postgresql", POSTGRESQL),
    packOf("django", DJANGO),
    packOf("haproxy", HAPROXY),
    packOf("ring", "provides: { ring: { port: 1 } }\nrequires: { ring: { optional: true } }\n"),
  ].map((pack) => [pack.name, pack]),
);

const config = (services: string, environments = "environments: { production: { provider: local } }\n") =>
  configOf(
    `schema: summitctl.config.v1\nproject: summit\nstores: [file:///b]\nservices:\n${services}${environments}secrets: { app_key: { env: K } }\n`,
  );
const problems = (...texts: [string, string?]): readonly string[] =>
  checkStack(config(...texts), packs).map(problemText);

const GOOD = `  postgresql: {}
  summit: { pack: django, options: { app: { path: ./app } }, relations: { database: postgresql } }
  haproxy: { relations: { backend: summit } }
`;

test("a stack that fits has no problems", () => {
  expect(problems(GOOD)).toEqual([]);
});

test("everything that does not fit is reported at once, where it was written", () => {
  expect(
    problems(
      `  postgresql:
    units: 2
  summit:
    pack: django
    options: { wrokers: 2, database: "a=b" }
    relations:
      databse: postgresql
      cache: postgresql
  haproxy: {}
`,
      `environments:
  production: { provider: local }
  spare:
    provider: local
    services:
      summit:
        options: { workers: 100 }
`,
    ),
  ).toEqual([
    "summit.yaml:6: services.postgresql.units: the pack postgresql knows at most 1 of them in this version, got 2",
    'summit.yaml:9: services.summit.options.wrokers: the pack django has no such option, did you mean "workers"?',
    "summit.yaml:9: services.summit.options: the pack django needs the option app: source",
    "summit.yaml:10: services.summit.relations: the pack django needs the relation database, bound to a service that provides database",
    'summit.yaml:11: services.summit.relations.databse: the pack django has no such relation, did you mean "database"?',
    "summit.yaml:12: services.summit.relations.cache: expected a service that provides cache; postgresql (pack postgresql) provides database",
    "summit.yaml:13: services.haproxy.relations: the pack haproxy needs the relation backend, bound to a service that provides web",
    "summit.yaml:20: environments.spare.services.summit.options.workers: expected at most 64, got 100",
  ]);
});

test("a database that a service asks for has a name that a database can have", () => {
  expect(problems(GOOD.replace("options: {", "options: { database: 'host=evil', "))).toEqual([
    'summit.yaml:6: services.summit.options.database: the database name "host=evil" reads as a connection string',
  ]);
});

test("a secret that a pack needs has a source", () => {
  const bare = configOf(
    `schema: summitctl.config.v1\nproject: summit\nstores: [file:///b]\nservices:\n${GOOD}environments: { production: { provider: local } }\n`,
  );
  expect(checkStack(bare, packs)).toMatchObject([
    {
      path: "secrets",
      message: "the pack django of summit needs the secret app_key: the key",
      hint: "app_key: { env: APP_KEY }",
    },
  ]);
});

test.each([
  [
    "  a: { pack: ring, relations: { ring: a } }\n",
    ["summit.yaml:5: services.a.relations.ring: services need each other in a ring: a -> a"],
  ],
  [
    "  a: { pack: ring, relations: { ring: b } }\n  b: { pack: ring, relations: { ring: c } }\n  c: { pack: ring, relations: { ring: b } }\n",
    ["summit.yaml:7: services.c.relations.ring: services need each other in a ring: b -> c -> b"],
  ],
  [
    "  a: { pack: ring, relations: { ring: c } }\n  b: { pack: ring, relations: { ring: c } }\n  c: { pack: ring }\n",
    [],
  ],
])("rings are found: %j", (services, expected) => {
  expect(problems(services)).toEqual(expected);
});

test("an overlay can close a ring", () => {
  expect(
    problems(
      "  a: { pack: ring, relations: { ring: b } }\n  b: { pack: ring }\n",
      "environments:\n  production: { provider: local }\n  spare: { provider: local, services: { b: { relations: { ring: a } } } }\n",
    ),
  ).toEqual([
    "summit.yaml:9: environments.spare.services.b.relations.ring: services need each other in a ring: a -> b -> a",
  ]);
});

test("loadStack throws the problems of the packs and of their use together", async () => {
  const folder = await mkdtemp(join(tmpdir(), "summit-stack-"));
  try {
    await writePack(folder, "postgresql", POSTGRESQL);
    await writePack(folder, "django", DJANGO);
    const broken = await writePack(folder, "haproxy", HAPROXY);
    await expect(loadStack(config(GOOD), [folder])).resolves.toHaveProperty("size", 3);

    await writeFile(join(broken, "pack.yaml"), "schema: summitctl.pack.v1\nname: haproxy\n");
    const wrong = config(`${GOOD.replace("postgresql: {}", "postgresql: { units: 2 }")}  memcached: {}\n`);
    await expect(loadStack(wrong, [folder])).rejects.toMatchObject({
      kind: "config",
      message: "/p/summit.yaml has 3 problems",
      details: [
        "summit.yaml:5: services.postgresql.units: the pack postgresql knows at most 1 of them in this version, got 2",
        `summit.yaml:7: services.haproxy.pack: the pack in ${broken} has 1 problem`,
        expect.stringMatching(/^summit\.yaml:8: services\.memcached\.pack: there is no pack "memcached"/),
        "haproxy/pack.yaml:1: summary: missing, expected text",
        `looked in: ${folder}`,
        "packs there: django, haproxy, postgresql",
      ],
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the sample that init writes fits the packaged packs", async () => {
  const sample = sampleText({
    project: "summit",
    store: "/store",
    app: "./app",
    theme: "./theme",
    secretFile: "./app_key.secret",
  });
  const packaged = new URL("../../packs/", import.meta.url).pathname;
  await expect(loadStack(configOf(sample), [packaged])).resolves.toHaveProperty("size", 4);
  const complete = sample.replaceAll(/^#(?=(\S| {2}))/gm, "");
  await expect(loadStack(configOf(complete), [packaged])).resolves.toHaveProperty("size", 4);
});
