import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AddressPort, Machine, MachineProvider } from "../../../../src/core/ports/machines.ts";
import { httpGet } from "../../../../src/providers/http/get.ts";
import { fakeOutput } from "../../../support/fake-output.ts";
import {
  leftOf,
  openLocal,
  podman,
  podmanAvailable,
  randomProject,
  removeProject,
  tryPodman,
} from "../../../support/podman.ts";

const { signal } = new AbortController();
const get = async (url: string) => (await httpGet(signal)({ url, timeout: 5 })).body.trim();

describe.skipIf(!podmanAvailable)("the address on this computer", () => {
  const project = randomProject();
  let machines: MachineProvider;
  let address: AddressPort;
  let image: string;
  let first: Machine;
  let second: Machine;

  /** A machine that answers HTTP with its own name. */
  async function serve(name: string): Promise<Machine> {
    const machine = await machines.create({
      project,
      environment: "production",
      name,
      units: [`${name}/0`],
      generation: 0,
      image,
      userData: "#cloud-config\nssh_genkeytypes: [ed25519]\n",
    });
    await podman("exec", machine.id, "sh", "-c", `mkdir -p /www && echo ${name} >/www/index.html`);
    await podman("exec", "-d", machine.id, "python3", "-m", "http.server", "-d", "/www", "80");
    return machine;
  }

  beforeAll(async () => {
    ({ machines, address } = await openLocal());
    ({ image } = await machines.base(fakeOutput().task("base")));
    [first, second] = await Promise.all([serve("first"), serve("second")]);
  }, 900_000);
  afterAll(() => removeProject(project), 60_000);

  test("every URL reaches the machine that holds it, at once after a move, also after a power cut of the old one", async () => {
    const { urls } = await address.reserve(project);
    const http = urls.filter((url) => url.startsWith("http://"));
    expect(http).toEqual([expect.stringMatching(/\.200\/$/), expect.stringContaining("127.0.0.1")]);
    await address.assign(project, first);
    for (const url of http) expect(await get(url)).toBe("first");
    await address.assign(project, second);
    for (const url of http) expect(await get(url)).toBe("second");
    await machines.stop(second);
    await address.assign(project, first);
    for (const url of http) expect(await get(url)).toBe("first");
  }, 60_000);

  test("another machine of the project reaches it, too", async () => {
    const { ip } = await address.reserve(project);
    const third = await serve("third");
    await address.assign(project, first);
    expect(await podman("exec", third.id, "curl", "-fsS", "-m", "5", `http://${ip}/`)).toBe("first");
  }, 60_000);

  test("the gateway that was stopped is started by reserve, with the same ports", async () => {
    const before = await address.reserve(project);
    await podman("stop", "-t", "0", `summit-${project}-gateway`);
    expect(await address.reserve(project)).toEqual({ ...before, urls: expect.any(Array) });
    await expect.poll(() => get(before.urls[0] as string)).toBe("first");
  }, 60_000);

  test("a loopback port that is taken is told with what to set", async () => {
    const own = randomProject();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      const taken = await openLocal({ httpPort: port, httpsPort: 0 });
      await expect(taken.address.reserve(own)).rejects.toMatchObject({
        kind: "check",
        message: `port ${port} of this computer is taken`,
        hint: expect.stringContaining("http_port"),
      });
      const none = await openLocal({ httpPort: 0, httpsPort: 0 });
      expect((await none.address.reserve(own)).urls).toEqual([
        expect.stringMatching(/^http:/),
        expect.stringMatching(/^https:/),
      ]);
      await none.address.remove(own);
      expect(await leftOf(own)).toEqual([]);
    } finally {
      server.close();
      await removeProject(own);
    }
  }, 60_000);

  test("a subnet that another network has is refused; without a wish the next free one is taken", async () => {
    const [own, other] = [randomProject(), randomProject()];
    const subnet = `10.240.${Math.floor(Math.random() * 250)}.0/24`;
    await podman("network", "create", "--subnet", subnet, other);
    try {
      const wished = await openLocal({ subnet, httpPort: 0, httpsPort: 0 });
      await expect(wished.address.reserve(own)).rejects.toMatchObject({
        kind: "check",
        message: `the subnet ${subnet} cannot be used for the project's network`,
        hint: expect.stringContaining("local: { subnet:"),
      });
      expect(await leftOf(own)).toEqual([]);
    } finally {
      await tryPodman("network", "rm", other);
    }
    const free = await openLocal({ httpPort: 0, httpsPort: 0 });
    const wanted = await free.address.reserve(own);
    await free.address.remove(own);
    await podman("network", "create", "--subnet", wanted.ip.replace(/\.200$/, ".0/24"), other);
    try {
      const moved = await free.address.reserve(own);
      expect(moved.ip).not.toBe(wanted.ip);
    } finally {
      await tryPodman("network", "rm", other);
      await removeProject(own);
    }
  }, 60_000);
});
