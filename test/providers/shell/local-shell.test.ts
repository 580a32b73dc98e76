import { describeShell } from "../../contracts/shell.ts";
import { createLocalShell } from "../../support/local-shell.ts";

describeShell("local fake", async () => ({
  connect: async (signal) => createLocalShell({ grace: 1000, ...(signal === undefined ? {} : { signal }) }),
  otherUser: process.getuid?.() === 0 ? "nobody" : undefined,
  cleanup: async () => {},
}));
