import { SummitError } from "../core/errors.ts";
import { show } from "../core/names.ts";
import { suggestion } from "./suggest.ts";
import type { Config, Environment, ServiceConfig, ServiceOverlay } from "./types.ts";

/** What an environment runs: shared services with its own overlay. Throws kind `usage` for an unknown name. */
export function effectiveEnvironment(config: Config, name: string): Environment {
  const environment = Object.hasOwn(config.environments, name) ? config.environments[name] : undefined;
  if (environment === undefined) {
    const known = Object.keys(config.environments);
    throw new SummitError("usage", `there is no environment ${show(name)}${suggestion(name, known)}`, {
      hint: `--env ${known.join("    # or ")}`,
    });
  }
  const services = Object.entries(config.services).map(([service, shared]) => [
    service,
    merge(shared, environment.services[service] ?? {}),
  ]);
  return { name, provider: environment.provider, services: Object.fromEntries(services) };
}

const merge = (shared: ServiceConfig, overlay: ServiceOverlay): ServiceConfig => ({
  ...shared,
  units: overlay.units ?? shared.units,
  options: { ...shared.options, ...overlay.options },
  relations: { ...shared.relations, ...overlay.relations },
});
