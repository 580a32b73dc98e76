import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const pages = ["README.md", "CONTRIBUTING.md", ...markdownIn("docs"), ...markdownIn("examples/summit")];

test.each(pages)("every relative link of %s leads to something", (page) => {
  expect(links(page).flatMap((link) => broken(page, link))).toEqual([]);
});

test("every page of docs/ can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const link of links(page)) {
      const [file = ""] = link.split("#");
      const target = file === "" ? page : relative(ROOT, join(ROOT, dirname(page), file));
      if (target.endsWith(".md")) reached.add(target);
    }
  }
  expect(markdownIn("docs").filter((page) => !reached.has(page))).toEqual([]);
});

test("files that the prose names exist", () => {
  const named = pages.flatMap((page) =>
    [
      ...readFileSync(join(ROOT, page), "utf8").matchAll(
        /`((?:src|test|scripts|packs|images|schema|docs|bin)\/[\w./-]+)`/g,
      ),
    ].map(([, file = ""]) => `${page}: ${file}`),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((line) => !existsSync(join(ROOT, line.split(": ")[1] ?? "")))).toEqual([]);
});

/** Targets of inline links, less those of other sites and what stands in code. */
function links(page: string): string[] {
  const text = readFileSync(join(ROOT, page), "utf8").replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "");
  return [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function broken(page: string, link: string): string[] {
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? join(ROOT, page) : join(ROOT, dirname(page), file);
  if (!existsSync(path)) return [`${link}: no such file`];
  if (anchor === undefined) return [];
  return anchors(path).includes(anchor) ? [] : [`${link}: no such heading`];
}

/** As the usual renderers make them of headings. */
function anchors(path: string): string[] {
  return [...readFileSync(path, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(".md") && statSync(join(ROOT, name)).isFile())
    .sort();
}
