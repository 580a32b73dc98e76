import type { Task } from "./output.ts";
import type { Endpoint } from "./shell.ts";

export interface MachineFilter {
  readonly project: string;
  readonly environment?: string;
}

export interface MachineSpec {
  readonly project: string;
  readonly environment: string;
  /** Unique within the environment, also the host name: `postgresql-0`. */
  readonly name: string;
  /** `postgresql/0`, … */
  readonly units: readonly string[];
  /** The generation that was live when the machine was made. */
  readonly generation: number;
  /** What `golden` or `base` returned. */
  readonly image: string;
  /** cloud-init user-data, the same text for every provider. Holds no secret but the boot-only host key. */
  readonly userData: string;
}

export interface Machine {
  /** The provider's own id. */
  readonly id: string;
  readonly project: string;
  readonly environment: string;
  readonly name: string;
  readonly units: readonly string[];
  readonly generation: number;
  /** Judged by the machine's processes, not by the provider's record of them. */
  readonly state: "running" | "stopped";
  /** False for one that was made but never started, as a killed `create` leaves it: `create` makes it anew. */
  readonly booted: boolean;
  /** Where its sshd answers, from here. Undefined while stopped. */
  readonly endpoint: Endpoint | undefined;
  /** Where other machines of the project reach it. Undefined while stopped. */
  readonly privateAddress: string | undefined;
  readonly createdAt: Date;
}

/** What is put into a golden image, so that a fresh machine need not install. */
export interface GoldenRecipe {
  /** Folders that are copied into the image first: absolute target path to local folder. */
  readonly folders: Readonly<Record<string, string>>;
  /** POSIX sh, run as root inside. Its output goes to the task. */
  readonly script: string;
  /** Names of the content, worked out from what the script printed on stdout. Equal keys mean equal images. */
  readonly keys: (stdout: string) => readonly [string, ...string[]];
}

export interface GoldenImage {
  readonly image: string;
  readonly createdAt: Date;
}

export interface Check {
  readonly name: string;
  readonly ok: boolean | "warning";
  readonly message: string;
  readonly hint?: string;
}

/** Where machines come from. Every call may be repeated: what already holds is left alone and returned. */
export interface MachineProvider {
  readonly kind: string;
  /** What it cannot do here, in plain words, for `doctor` and `status`. Empty when everything works. */
  limits(): Promise<readonly string[]>;
  /** Read-only look at what the provider needs, for a project or for any. Throws for an abort only. */
  checks(project?: string): Promise<readonly Check[]>;
  /** Digest of the base image, building or pulling it when absent. An interrupted build is started over. */
  base(task: Task): Promise<{ image: string; digest: string; architecture: string }>;
  /** The image that was built under that key. */
  findGolden(key: string): Promise<GoldenImage | undefined>;
  /** Builds it from the base. Appears whole or not at all, under all of its keys. */
  buildGolden(recipe: GoldenRecipe, task: Task): Promise<GoldenImage>;
  /**
   * A running machine of that name. One that exists is started if it is stopped, else returned as it is (its
   * user-data is then not applied again). Aborted or failed: either no machine, or one that `list` shows.
   */
  create(spec: MachineSpec): Promise<Machine>;
  list(filter: MachineFilter): Promise<readonly Machine[]>;
  /**
   * The host keys read over a channel of the provider's own that needs no SSH trust, or undefined where there is
   * none. This is how state is rebuilt when the store lost it.
   */
  hostKeys(machine: Machine): Promise<readonly string[] | undefined>;
  /** The last lines of what went wrong in it, over such a channel, oldest first. Empty where nothing can be told. */
  console(machine: Machine): Promise<readonly string[]>;
  /** Stops it at once, as a power cut would. It stays in `list` as stopped. */
  stop(machine: Machine): Promise<void>;
  /** Removes it and its disk. A machine that is gone already is no error. */
  remove(machine: Machine): Promise<void>;
}

export interface ProjectAddress {
  readonly ip: string;
  /** URLs where the project answers when a machine holds the address: the address itself, then the loopback port. */
  readonly urls: readonly string[];
}

/**
 * The stable public address. It belongs to the project; one machine at most holds it; nothing about it is written
 * inside a machine, so a machine that restarts comes back without it.
 */
export interface AddressPort {
  /** The address, reserved when it was not yet. Repeatable. */
  reserve(project: string): Promise<ProjectAddress>;
  /** The address if it was reserved, changing nothing. */
  find(project: string): Promise<ProjectAddress | undefined>;
  /** The running machine that holds it now. */
  holder(project: string): Promise<Machine | undefined>;
  /** Moves it. Resolves when this computer reaches the new holder under the address. Repeatable. */
  assign(project: string, machine: Machine): Promise<void>;
  /** Takes it away from whichever machine holds it. */
  release(project: string): Promise<void>;
  /** Gives up everything that was made for the project. Refuses with `check` while machines of the project exist. */
  remove(project: string): Promise<void>;
}
