import { distance } from "fastest-levenshtein";

/** The known word that `word` was probably meant to be. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 60) return undefined;
  const plain = fold(word);
  const limit = Math.max(1, Math.floor((word.length + 1) / 3));
  let best: { known: string; far: number } | undefined;
  for (const candidate of known) {
    const far = distance(plain, fold(candidate));
    if (far <= limit && (best === undefined || far < best.far)) best = { known: candidate, far };
  }
  return best?.known;
}

/** `, did you mean "options"?`, or what there is when nothing comes close. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = closest(word, known);
  if (meant !== undefined) return `, did you mean "${meant}"?`;
  if (known.length === 0) return "";
  const shown = known.slice(0, 12).join(", ");
  return `, known here: ${shown}${known.length > 12 ? ", …" : ""}`;
}

const fold = (word: string): string => word.toLowerCase().replaceAll("-", "_");
