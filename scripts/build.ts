// Builds dist/: every source file with its types stripped (the sources use only erasable
// syntax, so lines stay where they are), and a package.json that maps `#…` imports to it.
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
await rm(dist, { recursive: true, force: true });

let files = 0;
for (const folder of ["src", "workers"]) {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const source = join(entry.parentPath, entry.name);
    const target = join(dist, source.slice(root.length)).replace(/\.ts$/, ".js");
    await mkdir(dirname(target), { recursive: true });
    if (entry.name.endsWith(".ts")) {
      await writeFile(target, stripTypeScriptTypes(await readFile(source, "utf8")));
      files += 1;
    } else if (/\.(sql|json)$/.test(entry.name)) {
      await cp(source, target);
    }
  }
}

const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
  name: string;
  version: string;
};
await writeFile(
  join(dist, "package.json"),
  `${JSON.stringify({ name: manifest.name, version: manifest.version, type: "module", imports: { "#*.ts": "./src/*.js" } }, null, 2)}\n`,
);
console.log(`dist/: ${files} modules of ${manifest.name} ${manifest.version}`);
