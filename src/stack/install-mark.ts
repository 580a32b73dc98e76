import { canonicalJson, sha256 } from "../core/digest.ts";
import { isSource, type StackService } from "./stack.ts";

/**
 * What `install` depended on besides pins: while a machine has this mark for a service and its record agrees with the
 * pins, the hook has nothing to do.
 */
export const installMark = (service: Pick<StackService, "digest" | "resolved">): string =>
  sha256(
    canonicalJson({
      digest: service.digest,
      options: Object.entries(service.resolved).filter(([, value]) => !isSource(value)),
    }),
  ).slice(0, 32);
