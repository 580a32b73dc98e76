import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { S3Server } from "./s3-server.ts";

/** The most parts that this server takes, far fewer than AWS. */
export const SWIFT_MAX_PARTS = 1000;

/** Whether Debian's Swift is installed; scripts/setup --test does that. */
export async function swiftIsInstalled(): Promise<boolean> {
  return (await execa("test", ["-x", "/usr/bin/swift-proxy-server"], { reject: false })).exitCode === 0;
}

/**
 * OpenStack Swift from Debian's packages with its S3 interface, one device in a temporary folder, all on loopback: a
 * real S3 server with signatures, multipart uploads and presigned URLs, and without conditional writes.
 */
export async function startSwift(): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), "summit-swift-"));
  const [proxy = 0, account = 0, container = 0, object = 0, memcached = 0] = await freePorts(5);
  await mkdir(join(folder, "srv", "d"), { recursive: true });
  await mkdir(join(folder, "cache"));
  const rings = { account, container, object };
  // Only this key decides where Swift looks for its configuration, so that several may run beside an installed one.
  const env = { SWIFT_CONF: join(folder, "swift.conf") };
  await writeFile(
    join(folder, "swift.conf"),
    "[swift-hash]\nswift_hash_path_suffix = x\nswift_hash_path_prefix = y\n[swift-constraints]\n",
  );
  for (const [name, port] of Object.entries(rings))
    await writeFile(join(folder, `${name}.conf`), serverConf(folder, name, port));
  await writeFile(join(folder, "proxy.conf"), proxyConf(folder, proxy, memcached));
  await execa("/usr/bin/python3", ["-c", RINGS, folder, JSON.stringify(rings)], { env });

  const children = [
    run("/usr/bin/memcached", ["-u", "nobody", "-l", "127.0.0.1", "-p", String(memcached), "-m", "16"]),
    ...["account", "container", "object", "proxy"].map((name) =>
      run("/usr/bin/python3", ["-c", SERVE, join(folder, `${name}.conf`), name], { ...process.env, ...env }),
    ),
  ];
  const stop = async () => {
    await Promise.all(children.map(end));
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await Promise.all([proxy, account, container, object].map((port) => answers(port, children)));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${proxy}`,
    accessKeyId: "test:tester",
    secretAccessKey: "testing",
    [Symbol.asyncDispose]: stop,
  };
}

const serverConf = (folder: string, name: string, port: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
swift_dir = ${folder}
devices = ${join(folder, "srv")}
mount_check = false
fallocate_reserve = 0
log_level = ERROR
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;

const proxyConf = (folder: string, port: number, memcached: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = root
swift_dir = ${folder}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_upload_part_num = ${SWIFT_MAX_PARTS}
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
`;

/** All rings in one process: the ring builder's own program would start nine times. */
const RINGS = `
import json, sys
from swift.common.ring import RingBuilder
folder, rings = sys.argv[1], json.loads(sys.argv[2])
for name, port in rings.items():
    builder = RingBuilder(4, 1, 0)
    builder.add_dev(dict(region=1, zone=1, ip='127.0.0.1', port=port, device='d', weight=1.0, replication_ip='127.0.0.1', replication_port=port))
    builder.rebalance()
    builder.get_ring().save('%s/%s.ring.gz' % (folder, name))
`;

/** What /usr/bin/swift-*-server does, with the configuration's folder taken from the environment. */
const SERVE = `
import os, sys
from swift.common import utils
utils.SWIFT_CONF_FILE = os.environ['SWIFT_CONF']
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1], sys.argv[2] + '-server'))
`;

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  return spawn(program, args, { env, stdio: ["ignore", "ignore", process.env["SWIFT_LOG"] ? "inherit" : "ignore"] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** Until it answers over HTTP; a server that ended will not. */
async function answers(port: number, children: readonly ChildProcess[]): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (children.some(({ exitCode }) => exitCode !== null)) break;
    if (await fetch(`http://127.0.0.1:${port}/healthcheck`).then(drained, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Swift did not start on port ${port}; SWIFT_LOG=1 shows why`);
}

const drained = async (answer: Response): Promise<true> => {
  await answer.arrayBuffer();
  return true;
};

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async (): Promise<Server> => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
