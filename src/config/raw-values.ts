/** A mapping's entries; none when the value is something else, which the schema reports. */
export const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] => Object.entries(mapOf(value));

/** The value as a mapping, empty when it is something else. */
export const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};

/** The value as a list, empty when it is something else. */
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The value under a key of a mapping; inherited properties are not values. */
export const at = (value: unknown, key: string): unknown =>
  Object.hasOwn(mapOf(value), key) ? mapOf(value)[key] : undefined;
