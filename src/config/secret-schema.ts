import * as z from "zod";
import { commandCheck, type FieldCheck, plainTextCheck, variableCheck } from "./field-checks.ts";
import type { Finding, Path } from "./problems.ts";

const text = (accepts: FieldCheck) =>
  z.string().superRefine((value, context) => {
    const message = accepts(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

/** Where a secret comes from; that it is exactly one of them is said by `sourceFindings`. */
export const secretSchema = z
  .strictObject({
    env: text(variableCheck).optional().describe("variable of the environment that summitctl runs in"),
    file: text(plainTextCheck).optional().describe("file that holds it; should be readable by you alone"),
    command: text(commandCheck)
      .optional()
      .describe("command that prints it, run by `sh -c` in the folder of summit.yaml, at most 30 s"),
  })
  .meta({ minProperties: 1, maxProperties: 1 });

/** What is wrong with a source as it was written. */
export function sourceFindings(source: unknown, path: Path): readonly Finding[] {
  if (typeof source !== "object" || source === null || Array.isArray(source)) return [];
  const given = ["env", "file", "command"].filter((kind) => Object.hasOwn(source, kind));
  if (given.length === 1) return [];
  const came = given.length === 0 ? "none" : given.join(" and ");
  return [{ path, message: `expected exactly one of env, file and command, got ${came}` }];
}
