import type { Shell } from "../core/ports/shell.ts";

/** A running database server, as backup and restore see it. */
export interface DatabaseServer {
  readonly project: string;
  readonly environment: string;
  readonly generation: number;
  /** `postgresql/0` */
  readonly unit: string;
  /** The databases that the stack asks for, or that summit.yaml lists. */
  readonly databases: readonly string[];
  readonly shell: Shell;
}
