import { homedir } from "node:os";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandDeps } from "./commands/deps.ts";
import type { Config, StoreConfig } from "./config/types.ts";
import { SummitError } from "./core/errors.ts";
import { checkLabel } from "./core/names.ts";
import { takePidLock } from "./core/pid-lock.ts";
import type { AddressPort, MachineProvider } from "./core/ports/machines.ts";
import type { ObjectMemory } from "./core/ports/object-memory.ts";
import type { ObjectStore } from "./core/ports/store.ts";
import type { Project } from "./environment/project.ts";

type Lazy = Pick<
  CommandDeps,
  | "config"
  | "project"
  | "stores"
  | "machines"
  | "address"
  | "memory"
  | "connector"
  | "trees"
  | "secret"
  | "identities"
  | "lock"
  | "http"
  | "post"
  | "local"
  | "ticker"
  | "example"
  | "demoFolder"
  | "computer"
  | "ownKeyFile"
>;
type Base = Pick<CommandDeps, "signal" | "env" | "cwd" | "version" | "globals"> & { warn(line: string): void };

const BUILTIN_PACKS = fileURLToPath(new URL("../packs", import.meta.url));
const EXAMPLE = fileURLToPath(new URL("../examples/summit", import.meta.url));

/** Everything that costs something to make, made when it is first asked for, and once. */
export function composeLazily(base: Base): Lazy {
  const ownKeyFile = join(stateFolder(base.env), "id_ed25519");
  const config = once(async () => {
    const { findConfigFile } = await import("./config/find-config-file.ts");
    const { loadConfig } = await import("./config/load-config.ts");
    return await loadConfig(await findConfigFile({ flag: base.globals().config, env: base.env, cwd: base.cwd }), {
      version: base.version,
    });
  });
  const project = once(async (): Promise<Project> => {
    const { loadProject } = await import("./environment/project.ts");
    return await loadProject(await config(), BUILTIN_PACKS);
  });
  const local = once(async () => {
    const { localProvider } = await import("./providers/machines/local/provider.ts");
    return await localProvider(localSettings(await config(), base.signal));
  });
  return {
    config,
    project,
    example: EXAMPLE,
    demoFolder: demoFolderIn(stateFolder(base.env)),
    ownKeyFile,
    computer: once(async () => {
      const { localProvider } = await import("./providers/machines/local/provider.ts");
      return (await localProvider({ ...DEFAULTS, signal: base.signal })).machines;
    }),
    stores: once(async () => {
      const [first, ...more] = await Promise.all(
        (await config()).stores.map((each) => openStore(each, stateFolder(base.env))),
      );
      if (first === undefined) throw new SummitError("config", "summit.yaml names no store");
      return [first, ...more];
    }),
    machines: async (environment): Promise<MachineProvider> => (await localOnly(environment, config, local)).machines,
    address: async (environment): Promise<AddressPort> => (await localOnly(environment, config, local)).address,
    memory: lazyMemory(join(base.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "summitctl", "objects")),
    connector: once(async () => {
      const { createSshConnector } = await import("./providers/shell/ssh-connector.ts");
      const { ensureOwnKey } = await import("./providers/shell/own-key.ts");
      const { keys } = (await config()).ssh;
      const keyFiles = keys.length > 0 ? keys : [await ensureOwnKey(ownKeyFile)];
      return createSshConnector({ keyFiles, agentSocket: base.env["SSH_AUTH_SOCK"], signal: base.signal });
    }),
    trees: once(async () => {
      const { treeReader } = await import("./providers/source/trees.ts");
      return treeReader(base.signal);
    }),
    secret: async (name) => {
      const { resolveSecret } = await import("./config/secret-source.ts");
      const { secrets, folder } = await config();
      const source = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (source === undefined)
        throw new SummitError("config", `summit.yaml names no secret "${name}"`, {
          hint: `secrets: { ${name}: { env: ${name.toUpperCase()} } }`,
        });
      return await resolveSecret(name, source, { env: base.env, folder, signal: base.signal, warn: base.warn });
    },
    identities: once(async () => {
      const { readIdentities } = await import("./config/age-identity.ts");
      const { backup, folder } = await config();
      const hasTerminal = process.stdin.isTTY === true;
      const { env, signal, warn } = base;
      return await readIdentities(backup, { env, folder, signal, warn, hasTerminal });
    }),
    lock: async (environment, what) => {
      const wrong = checkLabel("environment", environment);
      if (wrong !== undefined) throw new SummitError("usage", wrong);
      const file = join(stateFolder(base.env), "locks", (await config()).project, `${environment}.lock`);
      return await takePidLock(file, { what: `${what} of "${environment}"`, wait: 0, signal: base.signal });
    },
    local: async (argv, options) => {
      const { runLocal } = await import("./providers/local/run-local.ts");
      return await runLocal(base.signal)(argv, options);
    },
    ticker: async (onTick) => {
      const { minuteTicker } = await import("./providers/cron/ticker.ts");
      return minuteTicker(onTick);
    },
    post: async (message) => {
      const { httpPost } = await import("./providers/http/post.ts");
      return await httpPost(message);
    },
    http: async (request) => {
      const { httpGet } = await import("./providers/http/get.ts");
      return await httpGet(base.signal)(request);
    },
  };
}

/** Each kind's modules are loaded when there is a store of that kind. */
async function openStore({ url, s3 }: StoreConfig, state: string): Promise<ObjectStore> {
  if (s3 === undefined) {
    // The demo's store comes and goes with the demo.
    if (fileURLToPath(url).startsWith(demoFolderIn(state) + sep))
      return (await import("./providers/stores/file.ts")).fileStore(url);
    const { markedFolder } = await import("./providers/stores/marked-folder.ts");
    return markedFolder(url, join(state, "stores"));
  }
  const { s3Store } = await import("./providers/stores/s3.ts");
  const { s3Memory } = await import("./providers/stores/s3-memory.ts");
  return s3Store({ url, ...s3 }, { memory: s3Memory(join(state, "stores"), { url, ...s3 }) });
}

/** The settings of a project that sets nothing. */
const DEFAULTS = {
  engine: "auto",
  subnet: undefined,
  image: "debian:12",
  mirror: undefined,
  httpPort: undefined,
  httpsPort: undefined,
} as const;

const localSettings = ({ local, address }: Config, signal: AbortSignal) => ({
  engine: local.engine,
  subnet: local.subnet,
  image: local.image ?? DEFAULTS.image,
  mirror: local.mirror,
  httpPort: address.httpPort,
  httpsPort: address.httpsPort,
  signal,
});

/** `effectiveEnvironment` refuses names that are not in summit.yaml; `local` is the only provider of this version. */
async function localOnly<T>(environment: string, config: () => Promise<Config>, local: () => Promise<T>): Promise<T> {
  const { effectiveEnvironment } = await import("./config/effective-environment.ts");
  effectiveEnvironment(await config(), environment);
  return await local();
}

const demoFolderIn = (state: string): string => join(state, "demo");

/** `$XDG_STATE_HOME/summitctl`: what belongs to this user on this computer. */
const stateFolder = (env: NodeJS.ProcessEnv): string =>
  join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "summitctl");

/** Not a function: it costs nothing until it is asked. */
function lazyMemory(folder: string): ObjectMemory {
  const memory = once(async () => (await import("./providers/memory/file-memory.ts")).fileMemory(folder));
  return {
    recall: async (scope) => await (await memory()).recall(scope),
    keep: async (scope, values) => await (await memory()).keep(scope, values),
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
