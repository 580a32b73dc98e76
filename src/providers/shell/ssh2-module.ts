import { createRequire } from "node:module";

/** Loaded at the first connection, not at start-up: ssh2 costs more than all the rest of `--help`. */
export const ssh2 = (): typeof import("ssh2") => require("ssh2");

const require = createRequire(import.meta.url);
