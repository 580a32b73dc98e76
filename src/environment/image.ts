import { exportLines, quote } from "../core/argv.ts";
import type { Deps } from "../core/deps.ts";
import { canonicalJson, sha256 } from "../core/digest.ts";
import type { MachineProvider } from "../core/ports/machines.ts";
import { REMOTE, serviceEnvironment } from "../stack/hook-environment.ts";
import { installMark } from "../stack/install-mark.ts";
import { type Pins, parsePins } from "../stack/pins.ts";
import { isSource, type Stack } from "../stack/stack.ts";

export interface ImageRequest {
  readonly project: string;
  readonly stack: Stack;
  readonly pins: Pins;
  /** False: machines start from the base and install at first boot. */
  readonly golden: boolean;
  readonly library: { readonly folder: string; readonly digest: string };
}

/** An image whose packages are not pinned is made anew after this many days, for the sake of security updates. */
const UNPINNED_DAYS = 7;

/** The image that machines of this stack start from: the golden one, built when there is none yet. */
export async function stackImage(
  request: ImageRequest,
  machines: MachineProvider,
  deps: Pick<Deps, "out" | "now">,
): Promise<string> {
  const task = deps.out.task(request.golden ? "machine image with packages" : "machine image");
  try {
    const base = await machines.base(task);
    if (!request.golden) {
      task.done(base.image);
      return base.image;
    }
    const facts = { base: base.digest, architecture: base.architecture };
    const found = await machines.findGolden(goldenKey(request, facts, request.pins));
    if (found !== undefined && (isPinned(request) || ageDays(found.createdAt, deps.now()) < UNPINNED_DAYS)) {
      task.done("ready");
      return found.image;
    }
    const built = await machines.buildGolden(
      {
        folders: Object.fromEntries([
          [REMOTE.packs, request.library.folder],
          ...request.stack.services.map(({ pack, spec }) => [`${REMOTE.packs}/${pack}`, spec.folder]),
        ]),
        script: goldenScript(request),
        // Also under the key that the pins will have once they are in summit.lock, so that it is found then.
        keys: (stdout) => [goldenKey(request, facts, request.pins), goldenKey(request, facts, readPins(stdout))],
      },
      task,
    );
    task.done("built");
    return built.image;
  } catch (error) {
    task.fail();
    throw error;
  }
}

const isPinned = ({ pins, stack }: ImageRequest): boolean =>
  stack.services.every(({ name, spec }) => spec.packages.length === 0 || Object.keys(pins[name] ?? {}).length > 0);

const ageDays = (then: Date, now: Date): number => (now.getTime() - then.getTime()) / 86_400_000;

/** Everything that the content depends on. Sources of the app are not: they are delivered to the machine. */
function goldenKey(request: ImageRequest, facts: { base: string; architecture: string }, pins: Pins): string {
  const services = request.stack.services.map(({ name, pack, digest, resolved }) => ({
    name,
    pack,
    digest,
    pins: pins[name] ?? {},
    options: Object.entries(resolved).filter(([, value]) => !isSource(value)),
  }));
  return sha256(canonicalJson({ ...facts, library: request.library.digest, services }));
}

const PINS_MARK = "summitctl-pins";

/** Installs every service and prints the versions that it got. */
export function goldenScript({ project, stack, pins, library }: Omit<ImageRequest, "golden">): string {
  const installs = stack.services.map((service) => {
    const environment = {
      ...serviceEnvironment({ project, stack, revisions: {}, pins }, service),
      SUMMIT_IMAGE: "1",
      SUMMIT_LEADER: "0",
      SUMMIT_UNIT: "",
      SUMMIT_CHANGES: "/dev/null",
    };
    return `(
${exportLines(environment)}${quote(`${REMOTE.packs}/${service.pack}/hooks/install`)} </dev/null >&2
)
printf '%s\\n' ${quote(installMark(service))} >${quote(`${REMOTE.installed}/${service.name}`)}
if [ -e ${quote(`${REMOTE.records}/${service.name}`)} ]; then sed ${quote(`s/^/${PINS_MARK} ${service.name} /`)} ${quote(`${REMOTE.records}/${service.name}`)}; fi`;
  });
  const markers = [
    `printf '%s\\n' ${quote(library.digest)} >${REMOTE.library}.revision`,
    ...new Set(
      stack.services.map(
        ({ pack, digest }) => `printf '%s\\n' ${quote(digest)} >${quote(`${REMOTE.packs}/${pack}.revision`)}`,
      ),
    ),
  ];
  return `set -eu
mkdir -p ${REMOTE.installed} /run/summitctl
${installs.join("\n")}
${markers.join("\n")}
`;
}

/** The pins per service that the script printed. */
export function readPins(stdout: string): Pins {
  const pins: Record<string, Record<string, string>> = {};
  for (const line of stdout.split("\n")) {
    const [mark, service = "", record = ""] = line.split(" ");
    if (mark === PINS_MARK && service !== "") pins[service] = { ...pins[service], ...parsePins(record) };
  }
  return pins;
}
