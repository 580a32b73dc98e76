import { SummitError } from "../core/errors.ts";
import { type FailoverDeps, refuseBlocked, runFailover, showPlan } from "./failover.ts";
import type { FailoverRequest } from "./failover-facts.ts";
import { planView } from "./failover-plan.ts";
import { failoverView } from "./failover-view.ts";

/** The plan alone, or the whole of it; either is the command's result. */
export async function failover(
  request: FailoverRequest,
  deps: FailoverDeps & { readonly dryRun: boolean },
): Promise<void> {
  if (request.force && request.reason === undefined) {
    throw new SummitError("usage", "--force needs --reason TEXT", {
      hint: `summitctl failover ${request.to === undefined ? "" : `--to ${request.to} `}--force --reason "why"`,
    });
  }
  if (!deps.dryRun) {
    deps.out.result(await runFailover(request, deps), failoverView);
    return;
  }
  const plan = await showPlan(request, deps);
  deps.out.result(plan, planView);
  refuseBlocked(plan);
}
