import * as z from "zod";

/** What retention keeps, as in `retention:` of summit.yaml. */
export interface RetentionPolicy {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
  /** Seconds before the newest one. */
  readonly within: number;
  /** As many good backups stay, whatever the rules say. */
  readonly floor: number;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, d: 86_400, w: 7 * 86_400 };
const SPAN = /^(\d{1,5})([hdw])$/;

const many = (what: string) => z.int().min(0).max(100_000).default(0).describe(what);
const bucket = (what: string) => many(`newest of each of so many ${what} that have one, in UTC`);

/** At least one rule: a policy of a floor alone would remove nearly everything. */
export const retentionSchema = z
  .strictObject({
    last: many("so many of the newest"),
    hourly: bucket("hours"),
    daily: bucket("days"),
    weekly: bucket("weeks from Monday on"),
    monthly: bucket("months"),
    yearly: bucket("years"),
    within: z
      .string()
      .regex(SPAN, "expected hours, days or weeks such as 36h, 14d or 8w")
      .optional()
      .describe("all whose data is at most so much older than that of the newest: `36h`, `14d`, `8w`"),
    floor: z.int().min(1).max(1000).default(3).describe("so many good ones stay, whatever the rules say"),
  })
  .superRefine(({ within, floor: _floor, ...counts }, context) => {
    if (within !== undefined || Object.values(counts).some((count) => count > 0)) return;
    context.addIssue({
      code: "custom",
      message: "names nothing to keep: expected one of last, hourly, daily, weekly, monthly, yearly, within",
      params: { hint: "retention: { last: 3, daily: 14, weekly: 8, monthly: 12 }" },
    });
  });

export function toRetention({ within, ...counts }: z.output<typeof retentionSchema>): RetentionPolicy {
  const [, count = "0", unit = "h"] = SPAN.exec(within ?? "") ?? [];
  return { ...counts, within: Number(count) * (UNIT_SECONDS[unit] ?? 0) };
}
