import type { ClientChannel } from "ssh2";
import { SummitError } from "../../core/errors.ts";
import type { ExitStatus } from "../../core/ports/shell.ts";
import { lastLines, statusText } from "./collect-run.ts";
import { ProcessStreams } from "./process-streams.ts";
import { endLine, type Login } from "./remote-line.ts";
import type { SshLink } from "./ssh-link.ts";
import type { SshTiming } from "./ssh-timing.ts";
import type { GroupProcess, ProcessTitle } from "./supervise.ts";

export interface ChannelRequest {
  readonly link: SshLink;
  readonly login: Login;
  readonly title: ProcessTitle;
  readonly timing: SshTiming;
  /** What the process tells its group with. */
  readonly token: string;
}

/** A command that runs behind an SSH channel. */
export function channelProcess(channel: ClientChannel, request: ChannelRequest): GroupProcess {
  const { link, login, title, timing, token } = request;
  const streams = new ProcessStreams({ stdin: channel, stdout: channel, stderr: channel.stderr }, token);
  let over = false;

  const ended = new Promise<ExitStatus>((resolve, reject) => {
    let status: ExitStatus | undefined;
    const onLost = (): void => fail(unknownEnd(title, link.lost.reason));
    const fail = (error: SummitError): void => {
      over = true;
      link.lost.removeEventListener("abort", onLost);
      streams.fail(error);
      reject(error);
    };
    channel.on("exit", (code: number | null, signal?: string) => {
      status = code === null ? { code: undefined, signal: signalName(signal) } : { code, signal: undefined };
    });
    channel.once("close", () => {
      void streams.drained.then(() => {
        if (over) return;
        if (status === undefined) return fail(unknownEnd(title, undefined));
        if (streams.marker.group === undefined) return fail(notStarted(title, login, status, streams.marker.rest()));
        over = true;
        link.lost.removeEventListener("abort", onLost);
        streams.finish();
        return resolve(status);
      });
    });
    link.lost.addEventListener("abort", onLost, { once: true });
    if (link.lost.aborted) onLost();
  });
  ended.catch(() => {});

  return {
    streams,
    ended,
    endGroup,
    release: () => channel.close(),
  };

  async function endGroup(): Promise<void> {
    const limit = timeLimit(timing.endGrace + timing.endSlack);
    const gone = ended.catch(() => {});
    await Promise.race([gone, limit.over, streams.marker.seen]);
    const { group } = streams.marker;
    if (!over && group !== undefined) {
      // Waits for the script and not for the process: other members of the group may outlive it.
      const script = link.execNow(endLine(login, group, timing.endGrace), untilClosed).then((closed) => closed());
      await Promise.race([script.catch(() => {}), limit.over]);
    }
    limit.clear();
  }
}

/** A function that waits, since a promise would be waited for where the channel is handed over. */
function untilClosed(channel: ClientChannel): () => Promise<void> {
  const closed = new Promise<void>((resolve) => void channel.resume().once("close", resolve));
  channel.stderr.resume();
  return () => closed;
}

function timeLimit(seconds: number): { over: Promise<void>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000);
  });
  return { over, clear: () => clearTimeout(timer) };
}

/** OpenSSH names signals that the protocol does not know `SIG@openssh.com`; it does not tell which one it was. */
const signalName = (signal: string | undefined): string =>
  signal === undefined || signal.includes("@") ? "an unnamed signal" : signal;

const unknownEnd = ({ shell, program }: ProcessTitle, cause: SummitError | undefined): SummitError =>
  new SummitError("remote", `the link to ${shell} was lost while ${program} ran; nothing is known of the process`, {
    hint: "summitctl status",
    details: cause?.details ?? [],
    ...(cause === undefined ? {} : { cause }),
  });

const notStarted = ({ shell, program }: ProcessTitle, login: Login, status: ExitStatus, stderr: Buffer): SummitError =>
  new SummitError(
    "remote",
    `${shell} did not start ${program}: ${login.user === "root" ? "the login shell" : "sudo"} ${statusText(status)}`,
    {
      hint: `sudo -n true   # on the machine, as ${login.user}; it must work without a password`,
      details: lastLines(stderr.toString("utf8")),
    },
  );
