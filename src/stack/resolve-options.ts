import type { Finding, Path } from "../config/problems.ts";
import { suggestion } from "../config/suggest.ts";
import type { OptionValue } from "../config/types.ts";
import { checkOptionValue } from "./option-value.ts";
import type { Pack } from "./pack-types.ts";

/**
 * The options of a service as its pack sees them: given values checked, defaults filled in; an option that is
 * neither given nor has a default is absent. `path` is where they stand, for the problems.
 */
export function resolveOptions(
  pack: Pick<Pack, "name" | "options">,
  given: Readonly<Record<string, OptionValue>>,
  path: Path,
): { options: Readonly<Record<string, OptionValue>> } | { problems: readonly Finding[] } {
  const known = Object.keys(pack.options);
  const problems: Finding[] = [];
  for (const [name, value] of Object.entries(given)) {
    const spec = Object.hasOwn(pack.options, name) ? pack.options[name] : undefined;
    const message =
      spec === undefined
        ? `the pack ${pack.name} has no such option${suggestion(name, known)}`
        : checkOptionValue(spec, value);
    if (message !== undefined) problems.push({ path: [...path, name], message });
  }
  const options: Record<string, OptionValue> = {};
  for (const [name, spec] of Object.entries(pack.options)) {
    const value = Object.hasOwn(given, name) ? given[name] : spec.default;
    if (value !== undefined) options[name] = value;
    else if (spec.required) {
      problems.push({
        path,
        message: `the pack ${pack.name} needs the option ${name}: ${spec.summary || spec.type}`,
        hint: `${name}: ${example(spec.type)}`,
      });
    }
  }
  return problems.length > 0 ? { problems } : { options };
}

const EXAMPLES: Readonly<Record<string, string>> = {
  source: "{ path: ./app }",
  integer: "1",
  boolean: "true",
  list: "[a, b]",
};
const example = (type: string): string => EXAMPLES[type] ?? "…";
