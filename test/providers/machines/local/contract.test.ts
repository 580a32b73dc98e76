import { describe } from "vitest";
import { findEngine } from "../../../../src/providers/machines/local/engine.ts";
import { labelFlags } from "../../../../src/providers/machines/local/labels.ts";
import { launchFlags } from "../../../../src/providers/machines/local/launch-flags.ts";
import { describeMachines } from "../../../contracts/machines.ts";
import { fakeOutput } from "../../../support/fake-output.ts";
import { openLocal, podman, podmanAvailable, removeGolden, removeProject } from "../../../support/podman.ts";

describe.skipIf(!podmanAvailable)("podman", () => {
  describeMachines("local", async () => {
    const { machines, address } = await openLocal();
    const { image } = await machines.base(fakeOutput().task("base"));
    return {
      machines,
      address,
      image,
      async leaveUnbooted(spec) {
        const flags = await launchFlags(await findEngine("podman"), spec.image);
        const name = `summit-${spec.project}-${spec.environment}-${spec.name}`;
        const network = `summit-${spec.project}`;
        await podman(
          ...flags.global,
          "create",
          "--name",
          name,
          "--network",
          network,
          ...labelFlags(spec),
          ...flags.container,
          spec.image,
          "/sbin/init",
        );
      },
      async cleanup({ keys, projects }) {
        for (const project of projects) await removeProject(project);
        for (const key of keys) await removeGolden(key);
      },
    };
  });
});
