import type { Finding, Path } from "../config/problems.ts";
import type { Environment } from "../config/types.ts";

/** Services that need each other in a ring, each ring once: nothing could be started first. */
export function cycleFindings(
  environment: Environment,
  placeOf: (service: string, ...rest: string[]) => Path,
): readonly Finding[] {
  const finished = new Set<string>();
  const findings: Finding[] = [];
  const visit = (service: string, way: readonly string[]): void => {
    if (finished.has(service)) return;
    for (const [relation, target] of Object.entries(environment.services[service]?.relations ?? {})) {
      const here = [...way, service];
      const start = here.indexOf(target);
      if (start === -1) visit(target, here);
      else {
        const ring = [...here.slice(start), target].join(" -> ");
        findings.push({
          path: placeOf(service, "relations", relation),
          message: `services need each other in a ring: ${ring}`,
        });
      }
    }
    finished.add(service);
  };
  for (const service of Object.keys(environment.services)) visit(service, []);
  return findings;
}
