import { describeObjectStore } from "../../contracts/store.ts";
import { memoryStore } from "../../support/memory-store.ts";

describeObjectStore("memory", async () => ({ store: memoryStore(), inMemory: true, cleanup: async () => undefined }));
