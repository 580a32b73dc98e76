import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BootstrapResult } from "../../src/environment/bootstrap.ts";
import { podman, podmanAvailable } from "../support/podman.ts";
import { type CliProject, cliProject } from "../support/summitctl.ts";

const ROUNDS = Number(process.env["SOAK_ROUNDS"] ?? 40);

describe.skipIf(!podmanAvailable)("bootstrap, many times", () => {
  let project: CliProject;
  const bootstrap = () => project.json<BootstrapResult>("bootstrap", "-e", "production");

  beforeAll(async () => {
    project = await cliProject();
  });
  afterAll(async () => {
    await project?.[Symbol.asyncDispose]();
  }, 60_000);

  test(`kill -9 at ${ROUNDS} random moments: run again, it completes, and nothing is left over`, async () => {
    const whole = await bootstrap();
    const clean = await project.left();
    for (let round = 0; round < ROUNDS; round += 1) {
      await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
      const ms = Math.round(400 + Math.random() * 8000);
      await project.cli(["bootstrap", "-e", "production"], { after: { ms, signal: "SIGKILL" } });
      const result = await bootstrap();
      expect(
        result.units.map(({ unit }) => unit),
        `after ${ms} ms`,
      ).toEqual(whole.units.map(({ unit }) => unit));
      expect((await fetch(result.urls[0] ?? "")).status, `after ${ms} ms`).toBe(200);
      expect(await project.left(), `after ${ms} ms`).toEqual(clean);
    }
  });

  test("without a golden image everything is installed, pinned as in the lock", async () => {
    await project.cli(["destroy", "-e", "production", "--confirm", "production"]);
    await project.configure({ local: { golden: false } });
    const result = await bootstrap();
    expect(
      await podman("inspect", "--format", "{{.ImageName}}", `summit-${project.name}-production-postgresql-0`),
    ).toContain("summitctl-base");
    expect(result.units.flatMap(({ changes }) => changes).join("\n")).toMatch(/installed postgresql-15 /);
    expect((await fetch(result.urls[0] ?? "")).status).toBe(200);
    expect((await bootstrap()).units.flatMap(({ changes }) => changes)).toEqual([]);
  });
});
