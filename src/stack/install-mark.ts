import { canonicalJson, sha256 } from "../core/digest.ts";
import { isSource, type StackService } from "./stack.ts";

/** What `install` depended on: while the machine has the same mark for a service, the hook has nothing to do. */
export const installMark = (service: Pick<StackService, "digest" | "resolved">, pins: Readonly<Record<string, string>>): string =>
  sha256(canonicalJson({ digest: service.digest, pins, options: Object.entries(service.resolved).filter(([, value]) => !isSource(value)) })).slice(0, 32);
