import type { ImagePin, Lock, LockFacts, LockProblem, PinTree } from "./lock-types.ts";
import { pathText } from "./problems.ts";

/** Every pin that contradicts the facts, in a stable order. Pins without a fact and facts without a pin are fine. */
export function lockProblems(lock: Lock, facts: LockFacts): readonly LockProblem[] {
  return [
    ...compare(["summitctl"], { version: lock.summitctl.version }, facts.summitctl ?? {}),
    ...compareTree("images", digests(lock.images), digests(facts.images ?? {})),
    ...compareTree("packages", lock.packages, facts.packages ?? {}),
    ...compare(["packs"], bareAll(lock.packs), bareAll(facts.packs ?? {})),
    ...compareTree("sources", lock.sources, facts.sources ?? {}),
    ...compare([], majorOf(lock), majorOf(facts)),
  ];
}

const majorOf = ({ postgresqlMajor }: Pick<LockFacts, "postgresqlMajor">): Record<string, string> =>
  postgresqlMajor === undefined ? {} : { postgresql_major: String(postgresqlMajor) };

const bare = (digest: string): string => digest.replace(/^sha256:/, "");
const bareAll = (pins: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(pins).map(([name, digest]) => [name, bare(digest)]));

const digests = (images: PinTree<ImagePin>): PinTree<string> =>
  Object.fromEntries(
    Object.entries(images).map(([provider, pins]) => [
      provider,
      Object.fromEntries(Object.entries(pins).map(([architecture, { digest }]) => [architecture, bare(digest)])),
    ]),
  );

const compareTree = (part: string, pins: PinTree<string>, facts: PinTree<string>): readonly LockProblem[] =>
  Object.keys(pins)
    .sort()
    .flatMap((name) => compare([part, name], pins[name] ?? {}, Object.hasOwn(facts, name) ? (facts[name] ?? {}) : {}));

function compare(
  path: readonly string[],
  pins: Readonly<Record<string, string>>,
  facts: Readonly<Record<string, string>>,
): readonly LockProblem[] {
  return Object.keys(pins)
    .sort()
    .flatMap((name) => {
      const pinned = pins[name] ?? "";
      const found = Object.hasOwn(facts, name) ? facts[name] : undefined;
      if (found === undefined || found === pinned) return [];
      const place = pathText([...path, name]);
      return [{ path: place, pinned, found, message: `${place}: pinned to ${pinned}, found ${found}` }];
    });
}
