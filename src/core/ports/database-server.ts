import type { Shell } from "./shell.ts";

/** A running database server, as backup and restore see it, and as an environment opens it. */
export interface DatabaseServer {
  readonly project: string;
  readonly environment: string;
  /** The newest one that was committed to this environment; 0: it was never live. */
  readonly generation: number;
  /** `postgresql/0` */
  readonly unit: string;
  /** As summit.yaml lists them under `backup`, else those that services ask for. */
  readonly databases: readonly string[];
  readonly shell: Shell;
}
