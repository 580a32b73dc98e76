import { effectiveEnvironment } from "../config/effective-environment.ts";
import type { Deps } from "../core/deps.ts";
import { SummitError } from "../core/errors.ts";
import { liveGeneration } from "./generations.ts";
import type { Project } from "./project.ts";

/** The environment to act on: the one that was named, else the live one, else the first of summit.yaml. */
export async function chooseEnvironment(
  project: Project,
  named: string | undefined,
  deps: Pick<Deps, "stores">,
): Promise<string> {
  const { config } = project;
  if (named !== undefined) return effectiveEnvironment(config, named).name;
  const [store] = await deps.stores();
  const live = (await liveGeneration(store, config.project))?.environment;
  if (live !== undefined && Object.hasOwn(config.environments, live)) return live;
  const [first] = Object.keys(config.environments);
  if (first === undefined)
    throw new SummitError("config", "summit.yaml has no environment", {
      hint: "environments: { production: { provider: local } }",
    });
  return first;
}
