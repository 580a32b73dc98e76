import type { ClientChannel } from "ssh2";
import { SummitError } from "../../core/errors.ts";
import type { ExitStatus, TerminalIo } from "../../core/ports/shell.ts";
import type { SshLink } from "./ssh-link.ts";

export async function openTerminal(link: SshLink, { input, output, term }: TerminalIo): Promise<ExitStatus> {
  const size = (): { rows: number; cols: number } => ({ rows: output.rows ?? 24, cols: output.columns ?? 80 });
  const { channel, closed } = await link.session(
    (done) => link.client.shell({ term, ...size(), width: 0, height: 0 }, done),
    (opened) => ({ channel: opened, closed: untilClosed(link, opened) }),
  );
  const onResize = (): void => channel.setWindow(size().rows, size().cols, 0, 0);
  const onEnd = (): void => void channel.end();
  input.setRawMode?.(true);
  output.on("resize", onResize);
  input.pipe(channel, { end: false });
  input.once("end", onEnd);
  channel.pipe(output, { end: false });
  channel.stderr.pipe(output, { end: false });
  try {
    return await closed();
  } finally {
    input.unpipe(channel);
    input.removeListener("end", onEnd);
    input.pause();
    output.removeListener("resize", onResize);
    input.setRawMode?.(false);
  }
}

/** A function that waits, since a promise would be waited for where the channel is handed over. */
function untilClosed(link: SshLink, channel: ClientChannel): () => Promise<ExitStatus> {
  const closed = new Promise<ExitStatus>((resolve, reject) => {
    let status: ExitStatus | undefined;
    const fail = (): void =>
      reject(
        new SummitError("remote", `the link to ${link.name} was lost during the session`, { hint: "summitctl status" }),
      );
    channel.on("error", () => {});
    channel.on("exit", (code: number | null, signal?: string) => {
      status = code === null ? { code: undefined, signal: signal ?? "an unnamed signal" } : { code, signal: undefined };
    });
    link.lost.addEventListener("abort", fail, { once: true });
    channel.once("close", () => {
      link.lost.removeEventListener("abort", fail);
      if (status === undefined) fail();
      else resolve(status);
    });
  });
  return () => closed;
}
