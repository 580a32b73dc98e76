/** Every limit of the SSH adapter, in seconds. */
export interface SshTiming {
  /** One try: TCP connection, key exchange and authentication together. */
  readonly connectTimeout: number;
  readonly keepAliveInterval: number;
  /** So many unanswered keep-alives in a row mean that the link is lost. */
  readonly keepAliveMissed: number;
  /** Between TERM and KILL of a process group. */
  readonly endGrace: number;
  /** What ending a process group may take beyond `endGrace` before it is given up. */
  readonly endSlack: number;
}

export const SSH_TIMING: SshTiming = {
  connectTimeout: 10,
  keepAliveInterval: 15,
  keepAliveMissed: 3,
  endGrace: 5,
  endSlack: 3,
};
