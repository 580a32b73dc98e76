/** As much of a stdout or stderr as output needs. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Whether to colour that stream: `--no-color`, NO_COLOR and `TERM=dumb` say no, FORCE_COLOR says yes, else a
 * terminal decides.
 */
export function wantsColor(stream: OutputStream, allowed: boolean, env: NodeJS.ProcessEnv): boolean {
  if (!allowed || env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return stream.isTTY === true && env["TERM"] !== "dumb";
}

/** Calls `run` every `ms` until the function it returned is called. Never keeps the process alive. */
export type Every = (ms: number, run: () => void) => () => void;

export const every: Every = (ms, run) => {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
};
