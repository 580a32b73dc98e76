import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/parse-config.ts";
import { generateIdentity } from "../../src/core/age-keys.ts";
import { configOf, HEAD, problemsOf } from "./config-fixture.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

describe("a correct file", () => {
  test("gets its defaults", () => {
    const config = configOf(HEAD);
    expect(config).toMatchObject({
      project: "summit",
      minimumVersion: undefined,
      address: { httpPort: undefined, httpsPort: undefined },
      stores: [{ url: "file:///var/backups/summit", path: "/var/backups/summit", required: true }],
      ssh: { keys: [], admins: [], user: "summit" },
      secrets: {},
      local: { engine: "auto", golden: true, subnet: undefined },
      backup: {
        databases: undefined,
        content: "archive",
        compression: "bzip2",
        level: undefined,
        rolePasswords: false,
        encrypt: undefined,
      },
      failoverTo: [],
    });
    expect(config.services["summit"]).toEqual({
      name: "summit",
      pack: "django",
      units: 1,
      options: {},
      relations: { database: "postgresql" },
    });
    expect(config.services["memcached"]?.pack).toBe("memcached");
  });

  test("has its paths resolved against its folder and the home", () => {
    const config = configOf(
      `${HEAD}ssh: { keys: [~/.ssh/id_ed25519, keys/deploy] }
secrets: { app_key: { file: ./key }, mail: { env: MAIL }, dsn: { command: "op read op://x" } }
x-app: &app
  app: { path: ../app }
  theme: { git: "https://example.org/theme.git", revision: main }
`.replace(
        "pack: django,",
        "pack: django, options: { app: { path: ../app }, theme: { path: ~/theme }, plugin: { git: git@example.org:a/b } },",
      ),
    );
    expect(config.ssh.keys).toEqual(["/home/ann/.ssh/id_ed25519", "/p/keys/deploy"]);
    expect(config.secrets).toEqual({
      app_key: { file: "/p/key" },
      mail: { env: "MAIL" },
      dsn: { command: "op read op://x" },
    });
    expect(config.services["summit"]?.options).toEqual({
      app: { path: "/app" },
      theme: { path: "/home/ann/theme" },
      plugin: { git: "git@example.org:a/b", revision: undefined },
    });
  });

  test("may use anchors, merge keys and x- keys at any level", () => {
    const config = configOf(`schema: summitctl.config.v1
project: summit
x-note: anything
x-small: &small { units: 2, x-inside: 1 }
stores: [{ url: "file:///b", x-why: disk, required: true }]
services:
  x-more: &more { options: { a: b } }
  summit: { <<: [*small, *more], units: 3 }
environments: { production: { provider: local, services: { summit: *small } } }
`);
    expect(config.services).toEqual({
      summit: { name: "summit", pack: "summit", units: 3, options: { a: "b" }, relations: {} },
    });
    expect(config.environments["production"]?.services).toEqual({ summit: { units: 2 } });
  });

  test("may start with a byte order mark and have Windows line ends", () => {
    expect(configOf(HEAD.replaceAll("\n", "\r\n")).project).toBe("summit");
    expect(configOf(`\uFEFF${HEAD}`).project).toBe("summit");
  });
});

test("a bucket is a store, with its settings", () => {
  const stores = `stores:
  - s3://bucket/-x/y/
  - { url: "s3://b.c.d", endpoint: "http://127.0.0.1:9000/", region: eu-west-1, path_style: false, profile: p, sse: aws:kms, kms_key: k, storage_class: STANDARD_IA, required: false }`;
  const none = {
    endpoint: undefined,
    region: undefined,
    pathStyle: undefined,
    profile: undefined,
    encryption: undefined,
    storageClass: undefined,
  };
  expect(configOf(HEAD.replace(/^stores:.*$/m, stores)).stores).toEqual([
    { url: "s3://bucket/-x/y", required: true, s3: { bucket: "bucket", prefix: "-x/y", ...none } },
    {
      url: "s3://b.c.d",
      required: false,
      s3: {
        bucket: "b.c.d",
        prefix: "",
        endpoint: "http://127.0.0.1:9000",
        region: "eu-west-1",
        pathStyle: false,
        profile: "p",
        encryption: { algorithm: "aws:kms", key: "k" },
        storageClass: "STANDARD_IA",
      },
    },
  ]);
});

test("all problems are reported at once, each with path and line", () => {
  expect(
    problemsOf(`schema: summitctl.config.v1
project: Summit!
stores:
  - url: s3://AKIA:hunter2@bucket
  - file:///a
  - { url: file:///a, reqired: false }
services:
  postgresql:
    units: 21
  memcached:
    optoins: { size: 64 }
  summit:
    pack: django
    relations: { database: postgres }
    options: { app: { path: ./a, git: https://x } }
enviroments:
  production: { provider: ec2 }
environments:
  production:
    provider: ec2
    services:
      sumit: { units: two }
failover_to: [spaer, production, production]
backup: { databases: ["a=b", ok, ok] }
`),
  ).toEqual([
    'summit.yaml:2: project: a project name is lower case letters, digits and dashes and starts with a letter, not "Summit!"',
    "summit.yaml:4: stores[0].url: a store's URL holds no credentials",
    'summit.yaml:6: stores[2].reqired: unknown key, did you mean "required"?',
    'summit.yaml:6: stores[2]: "/a" is there twice, first as number 2',
    "summit.yaml:9: services.postgresql.units: expected at most 20, got 21",
    'summit.yaml:11: services.memcached.optoins: unknown key, did you mean "options"?',
    'summit.yaml:14: services.summit.relations.database: there is no service "postgres", did you mean "postgresql"?',
    "summit.yaml:15: services.summit.options.app: expected { path: ./app } or { git: URL, revision: REV }",
    'summit.yaml:16: enviroments: unknown key, did you mean "environments"?',
    'summit.yaml:20: environments.production.provider: expected local, got "ec2"',
    'summit.yaml:22: environments.production.services.sumit.units: expected a number, got "two"',
    'summit.yaml:22: environments.production.services.sumit: there is no service "sumit", did you mean "summit"?',
    'summit.yaml:23: failover_to[0]: there is no environment "spaer", known here: production',
    'summit.yaml:23: failover_to[2]: "production" is there twice, first as number 2',
    'summit.yaml:24: backup.databases[0]: the database name "a=b" reads as a connection string',
    'summit.yaml:24: backup.databases[2]: "ok" is there twice, first as number 2',
  ]);
});

test.each([
  [
    "minimum_version: 0.2.0",
    "summit.yaml:6: minimum_version: this project needs summitctl 0.2.0 or newer, this is 0.1.0",
  ],
  ["minimum_version: 0.2", "summit.yaml:6: minimum_version: expected text, got the number 0.2: put it in quotes"],
])("%s is refused", (line, expected) => {
  expect(problemsOf(`${HEAD}${line}\n`)).toEqual([expected]);
});

test("a file for another version is judged by nothing else", () => {
  const parsed = parseConfig("schema: summitctl.config.v9\nnonsense: 1\n", {
    file: "/p/summit.yaml",
    folder: "/p",
    version: "0.1.0",
  });
  expect(parsed).toEqual({
    problems: [
      {
        file: "summit.yaml",
        line: 1,
        path: "schema",
        message: 'expected summitctl.config.v1, got "summitctl.config.v9", which summitctl 0.1.0 does not know',
        hint: "schema: summitctl.config.v1",
      },
    ],
  });
});

test("a mistyped required key is one problem", () => {
  expect(problemsOf(HEAD.replace("environments:", "enviroments:"))).toEqual([
    'summit.yaml:5: enviroments: unknown key, did you mean "environments"?',
  ]);
});

test("problems of merged values point at the mapping they come from", () => {
  expect(problemsOf(`${HEAD}x-ssh: &ssh\n  user: root\nssh:\n  <<: *ssh\n`)).toEqual([
    "summit.yaml:7: ssh.user: the login is created on every machine; root is there already, choose another name",
  ]);
});

const RECIPIENT = generateIdentity().identity.recipient;
const MISTYPED = `${RECIPIENT.slice(0, 30)}${RECIPIENT[30] === "q" ? "p" : "q"}${RECIPIENT.slice(31)}`;

test("backups are encrypted when there are recipients, and then with the hashes of passwords, unless told otherwise", () => {
  const backup = (text: string) => configOf(`${HEAD}backup: ${text}\n`).backup;
  expect(
    backup(`{ compression: zstd, level: 19, encrypt: { recipients: [${RECIPIENT}], identity: { file: key.txt } } }`),
  ).toMatchObject({
    compression: "zstd",
    level: 19,
    rolePasswords: true,
    encrypt: { recipients: [RECIPIENT], identity: { file: expect.stringMatching(/^\/.*key\.txt$/) } },
  });
  expect(backup("{ encrypt: { recipients: [] } }").rolePasswords).toBe(false);
  expect(backup("{ role_passwords: true }").rolePasswords).toBe(true);
  expect(backup(`{ role_passwords: false, encrypt: { recipients: [${RECIPIENT}] } }`).rolePasswords).toBe(false);
});

test.each<[string, string]>([
  // Names
  ["services: { all: {} }", '"all" is a reserved word and cannot be a service name'],
  ["failover_to: [nowhere]", 'there is no environment "nowhere", known here: production, spare'],
  ["failover_to: [spare, spare]", '"spare" is there twice, first as number 1'],
  ["backup: { databases: ['-a'] }", 'the database name "-a" starts with a dash'],
  ["backup: { databases: ['host=evil'] }", 'the database name "host=evil" reads as a connection string'],
  ['backup: { databases: ["a\\nb"] }', 'the database name "a\\nb" holds a control character'],
  ['backup: { databases: ["a\\0b"] }', 'the database name "a\\u0000b" holds a control character'],
  ["backup: { databases: [] }", "expected at least 1 in the list, got 0"],
  ["backup: { compression: xz }", 'expected bzip2 or zstd, got "xz"'],
  ["backup: { content: tar }", 'expected archive or sql, got "tar"'],
  ["backup: { level: 0 }", "expected at least 1, got 0"],
  ["backup: { level: 10 }", "expected 1 to 9 for bzip2, got 10"],
  ["backup: { compression: zstd, level: 20 }", "expected at most 19, got 20"],
  [
    "backup: { encrypt: { recipients: [age1abc] } }",
    'expected a public key of age such as age1… with 62 characters, got "age1abc"',
  ],
  [
    "backup: { encrypt: { recipients: [AGE-SECRET-KEY-1XYZ] } }",
    "this is a private key, which nobody else may see; the public one is expected",
  ],
  [
    `backup: { encrypt: { recipients: [${MISTYPED}] } }`,
    "expected a public key of age such as age1… with 62 characters, this was mistyped",
  ],
  [
    `backup: { encrypt: { recipients: [${RECIPIENT}, ${RECIPIENT}] } }`,
    `"${RECIPIENT}" is there twice, first as number 1`,
  ],
  ["backup: { encrypt: { recipients: [], identity: {} } }", "expected exactly one of env, file and command, got none"],
  // Address
  ["address: { http_port: 65536 }", "expected at most 65535, got 65536"],
  ["address: { http_port: -1 }", "expected at least 0, got -1"],
  ["address: { http_port: '80' }", 'expected a number, got "80"'],
  ["address: { http_port: 80.5 }", "expected a whole number, got 80.5"],
  ["address: { http_port: .inf }", "expected a number, got Infinity"],
  ["address: { http_port: 80, https_port: 80 }", "expected another port than http_port, both are 80"],
  ["address: 8080", "expected a mapping, got 8080"],
  ["address:", "expected a mapping, got nothing"],
  // SSH
  ["ssh: { keys: [a.pub] }", "expected a private key, got a .pub file"],
  ["ssh: { keys: ~/.ssh/id }", 'expected a list, got "~/.ssh/id"'],
  ["ssh: { user: 'a b' }", 'expected a login such as summit, got "a b"'],
  ["ssh: { admins: [ssh-ed25519] }", "expected the key in base64 after ssh-ed25519"],
  ["ssh: { admins: [ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA] }", "the key after ssh-rsa is cut off or of another kind"],
  ["ssh: { admins: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA] }", "the key after ssh-ed25519 is cut off"],
  [
    `ssh: { admins: ['command="x" ${KEY}'] }`,
    "expected a public key line such as ssh-ed25519 AAAA… ann (options before the key are not allowed)",
  ],
  [`ssh: { admins: ["${KEY} a\\n${KEY} b"] }`, "expected one line, as in a .pub file"],
  [`ssh: { admins: ["${KEY} a", "${KEY} b"] }`, "the same key is there twice, first as number 1"],
  [
    "ssh: { admins: ['-----BEGIN OPENSSH PRIVATE KEY-----'] }",
    "this is a private key; give the line of its .pub file, and change the key",
  ],
  // Secrets
  ["secrets: { app_key: hunter2 }", "expected a mapping, got text"],
  ["secrets: { app_key: {} }", "expected exactly one of env, file and command, got none"],
  ["secrets: { app_key: { env: A, file: b } }", "expected exactly one of env, file and command, got env and file"],
  ["secrets: { app_key: { env: 'A=B' } }", 'expected the name of a variable such as APP_KEY, got "A=B"'],
  ['secrets: { app_key: { command: " " } }', "expected a command, got nothing but blanks"],
  [
    "secrets: { ../key: { env: A } }",
    'a secret\'s name is lower case letters, digits and underscores, starts with a letter and has at most 40 characters, not "../key"',
  ],
  // Local
  ["local: { engine: lxc }", 'expected auto or podman or docker, got "lxc"'],
  ["local: { subnet: 10.89.7.0/16 }", 'expected an IPv4 /24 such as 10.89.7.0/24, got "10.89.7.0/16"'],
  ["local: { subnet: 8.8.8.0/24 }", "8.8.8.0/24 is not a private range (10/8, 172.16/12, 192.168/16)"],
  ["local: { subnet: 10.300.1.0/24 }", 'expected an IPv4 /24 such as 10.89.7.0/24, got "10.300.1.0/24"'],
  ["local: { image: '--privileged' }", 'expected an image such as debian:12, got "--privileged"'],
  ["local: { mirror: 'http://a:b@deb' }", "a mirror's URL cannot hold a user or a password"],
  ["local: { mirror: 'ftp://deb' }", 'expected http or https, got "ftp:"'],
  ["local: { golden: yes }", 'expected true or false, got "yes"'],
  // Keys
  [
    "nonsense: 1",
    "unknown key, known here: schema, project, minimum_version, address, stores, ssh, secrets, local, services, backup, retention, schedule, …",
  ],
  ["Backup: {}", 'unknown key, did you mean "backup"?'],
  ["__proto__: { project: evil }", 'the key "__proto__" cannot be used'],
  ["secrets: { constructor: { env: A } }", 'the key "constructor" cannot be used'],
])("%s", (line, expected) => {
  const key = line.split(":")[0] ?? "";
  const text = HEAD.includes(`\n${key}:`) ? HEAD.replace(new RegExp(`^${key}:.*$`, "m"), line) : `${HEAD}${line}\n`;
  const problems = problemsOf(text).map((problem) => problem.replace(/^summit\.yaml:\d+: (\S+: )?/, ""));
  expect(problems).toContain(expected);
});

describe("services and environments", () => {
  const withService = (service: string): string => HEAD.replace("memcached: {}", `memcached: ${service}`);
  test.each<[string, string]>([
    ["{ units: 0 }", "services.memcached.units: expected at least 1, got 0"],
    ["{ units: null }", "services.memcached.units: expected a number, got nothing"],
    [
      "{ pack: ../../etc }",
      'services.memcached.pack: a pack name is lower case letters, digits and dashes and starts with a letter, not "../../etc"',
    ],
    ["{ options: [] }", "services.memcached.options: expected a mapping, got a list"],
    [
      "{ options: { a: null } }",
      "services.memcached.options.a: expected text or a number or true or false or a list or a mapping, got nothing",
    ],
    ["{ options: { a: [1] } }", "services.memcached.options.a[0]: expected text, got the number 1: put it in quotes"],
    ["{ options: { a: { pth: x } } }", 'services.memcached.options.a.pth: unknown key, did you mean "path"?'],
    [
      "{ options: { a: { git: 'ext::sh -c id' } } }",
      'services.memcached.options.a.git: expected a git URL such as https://…, ssh://…, user@host:path or an absolute path, got "ext::sh -c id"',
    ],
    [
      "{ options: { a: { git: '--upload-pack=x' } } }",
      'services.memcached.options.a.git: expected a git URL such as https://…, ssh://…, user@host:path or an absolute path, got "--upload-pack=x"',
    ],
    [
      "{ options: { a: { git: 'ssh://-oProxyCommand=x/y' } } }",
      'services.memcached.options.a.git: expected a git URL such as https://…, ssh://…, user@host:path or an absolute path, got "ssh://-oProxyCommand=x/y"',
    ],
    [
      "{ options: { a: { git: 'https://u:p@x/y' } } }",
      "services.memcached.options.a.git: a git URL cannot hold a password; use ssh or a credential helper",
    ],
    [
      "{ options: { a: { git: /r, revision: --x } } }",
      'services.memcached.options.a.revision: expected a branch, tag or commit, got "--x"',
    ],
    [
      "{ options: { a: { path: x, revision: y } } }",
      "services.memcached.options.a.revision: a revision belongs to git; a path is taken as it is",
    ],
    [
      "{ relations: { cache: nothing } }",
      'services.memcached.relations.cache: there is no service "nothing", known here: postgresql, memcached, summit',
    ],
    [
      "{ relations: { cache: constructor } }",
      'services.memcached.relations.cache: there is no service "constructor", known here: postgresql, memcached, summit',
    ],
    [
      "{ relations: { CACHE: postgresql } }",
      'services.memcached.relations.CACHE: a relation name is lower case letters, digits and underscores, starts with a letter and has at most 40 characters, not "CACHE"',
    ],
  ])("%s", (service, expected) => {
    expect(problemsOf(withService(service))).toContain(`summit.yaml:4: ${expected}`);
  });

  test.each<[string, string]>([
    ["{}", "environments: expected at least one"],
    ["[production]", "environments: expected a mapping, got a list"],
    ["{ production: }", "environments.production: expected a mapping, got nothing"],
    ["{ production: {} }", "environments.production.provider: missing, expected local"],
    ["{ production: { provider: ec2 } }", 'environments.production.provider: expected local, got "ec2"'],
    [
      "{ drill-1: { provider: local } }",
      'environments.drill-1: "drill-1" is what summitctl calls an environment of its own',
    ],
    [
      "{ summit: { provider: local } }",
      'environments.summit: "summit" is a service already; commands take both kinds of names',
    ],
    [
      "{ a: { provider: local, services: { sumit: {} } } }",
      'environments.a.services.sumit: there is no service "sumit", did you mean "summit"?',
    ],
    [
      "{ a: { provider: local, services: { summit: { pack: x } } } }",
      "environments.a.services.summit.pack: unknown key, known here: units, options, relations",
    ],
  ])("environments: %s", (environments, expected) => {
    expect(problemsOf(HEAD.replace(/^environments:.*$/m, `environments: ${environments}`))).toContain(
      `summit.yaml:5: ${expected}`,
    );
  });

  test.each<[string, string]>([
    ["[]", "stores: expected at least 1 in the list, got 0"],
    ["file:///a", 'stores: expected a list, got "file:///a"'],
    ["[12]", "stores[0]: expected text or a mapping, got 12"],
    ["[{}]", "stores[0].url: missing, expected text"],
    ["[file://./x]", "stores[0]: expected an absolute path: three slashes after file:"],
    ["[file://host/x]", "stores[0]: expected an absolute path: three slashes after file:"],
    ["[file:x]", "stores[0]: expected an absolute path: three slashes after file:"],
    ["[/var/backups]", "stores[0]: expected a URL, got a path"],
    ["[file:///]", "stores[0]: a store cannot be the root folder"],
    ["['file:///a%00b']", "stores[0]: a store's path cannot hold control characters"],
    ["['file:///a?b']", "stores[0]: a ? or # in a store's URL is written as %3F or %23"],
    ["[file://~/b]", "stores[0]: a store's URL does not know ~"],
    ["[file:///a, file:///a/]", 'stores[1]: "/a" is there twice, first as number 1'],
    ["[s3:bucket/x]", "stores[0]: expected two slashes after s3:"],
    ["['s3://key:secret@bucket/x']", "stores[0]: a store's URL holds no credentials"],
    [
      "['s3://Bucket/x']",
      'stores[0]: a bucket\'s name is 3 to 63 lower case letters, digits, dots and dashes, not "Bucket"',
    ],
    [
      "['s3://bucket/a//b']",
      'stores[0]: a prefix is names of letters, digits and _.,=@+- with one slash between them, not ""',
    ],
    [
      "['s3://bucket/../b']",
      'stores[0]: a prefix is names of letters, digits and _.,=@+- with one slash between them, not ".."',
    ],
    [
      "['s3://bucket/$(id)']",
      'stores[0]: a prefix is names of letters, digits and _.,=@+- with one slash between them, not "$(id)"',
    ],
    ["['s3://bucket/a?b']", "stores[0]: a store's URL is a bucket and a prefix, without ?, # and %"],
    ["[s3://bucket/a, s3://bucket/a/]", 'stores[1]: "s3://bucket/a" is there twice, first as number 1'],
    ["[gs://bucket/a]", 'stores[0]: expected a store of the kind s3://… or file:///…, got "gs"'],
    ["[{ url: file:///a, region: x }]", "stores[0].region: only stores of the kind s3://… have this"],
    ["[{ url: s3://bucket, kms_key: x }]", "stores[0].kms_key: a key belongs to sse: aws:kms"],
    ["[{ url: s3://bucket, sse: DES }]", 'stores[0].sse: expected AES256 or aws:kms, got "DES"'],
    ["[{ url: s3://bucket, endpoint: 'https://u:p@x' }]", "stores[0].endpoint: an endpoint holds no credentials"],
    ["[{ url: s3://bucket, endpoint: 'ftp://x' }]", 'stores[0].endpoint: expected https or http, got "ftp:"'],
    [
      "[{ url: s3://bucket, endpoint: 'https://x/bucket' }]",
      "stores[0].endpoint: expected a server without a path, such as https://s3.example.org:9000",
    ],
    [
      "[{ url: s3://bucket, region: 'eu central' }]",
      'stores[0].region: expected a region such as eu-central-1, got "eu central"',
    ],
    [
      "[{ url: s3://bucket, storage_class: ia }]",
      'stores[0].storage_class: expected a storage class such as STANDARD_IA, got "ia"',
    ],
    ["[{ url: file:///a, required: false }]", "stores: expected at least one store that is required"],
  ])("stores: %s", (stores, expected) => {
    expect(problemsOf(HEAD.replace(/^stores:.*$/m, `stores: ${stores}`))).toEqual([`summit.yaml:3: ${expected}`]);
  });
});

test("no problem repeats what may be a credential", () => {
  const text = `${HEAD}secrets: hunter2\n`.replace(
    "[file:///var/backups/summit]",
    "['s3://AKIA:hunter2@b', 'https://u:hunter2@h']",
  );
  const shown = problemsOf(text);
  expect(shown).toHaveLength(3);
  expect(shown.join("\n")).not.toContain("hunter2");
});
