import { fakeOutput } from "../../../support/fake-output.ts";
import { openLocal } from "../../../support/podman.ts";

/** Builds a golden image in a process of its own, to be killed: `build-golden.ts KEY SCRIPT`. */
const [key = "", script = ""] = process.argv.slice(2);
const { machines } = await openLocal();
await machines.buildGolden({ folders: {}, script, keys: () => [key] }, fakeOutput().task("golden"));
