// Loading and calling the wasm compiler; its command line is in `solc` beside this file.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

/** The npm package of the compiler: the pinned `solc`, or an older one under another name where a test asks for it. */
const PACKAGE = process.env.SOLC_PACKAGE ?? "solc";
const SOLC_DIR = path.dirname(require.resolve(`${PACKAGE}/package.json`));

/** The version in native solc's form, from a cache beside the package: asking the compiler itself costs a second. */
exports.version = function version() {
  const wanted = require(`${PACKAGE}/package.json`).version;
  const cache = path.join(SOLC_DIR, "..", ".cache", "zkml-evm", `solc-${wanted}.version`);
  try {
    const cached = fs.readFileSync(cache, "utf8").trim();
    if (cached.startsWith(`${wanted}+commit.`)) return cached;
  } catch {
    // No cache yet.
  }
  const found = require(PACKAGE).version();
  try {
    fs.mkdirSync(path.dirname(cache), { recursive: true });
    // Renamed into place, as several builds may ask at the same time.
    const partial = `${cache}.${process.pid}`;
    fs.writeFileSync(partial, `${found}\n`);
    fs.renameSync(partial, cache);
  } catch {
    // A read-only node_modules only costs the second again.
  }
  return found;
};

/** True when `file`, links resolved, lies in one of `folders`: solc's rule for what an import may read. */
function allowed(file, folders) {
  const real = fs.realpathSync(file);
  return folders.some((folder) => {
    const relative = path.relative(fs.realpathSync(folder), real);
    return relative === "" || (!relative.startsWith("..") && !path.isAbsolute(relative));
  });
}

/** Answers an import that the JSON input does not contain: base path first, then include paths, as native solc does. */
function reader({ basePath, includePaths, allowPaths }) {
  const roots = [basePath, ...includePaths.map((folder) => path.resolve(basePath, folder))];
  const readable = [...roots, ...allowPaths.map((folder) => path.resolve(basePath, folder))].filter((folder) => fs.existsSync(folder));
  return (name) => {
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (!fs.existsSync(file)) continue;
      if (!allowed(file, readable)) return { error: `File outside of allowed directories: ${name}` };
      return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `File not found: ${name}` };
  };
}

/** One standard JSON compilation: text in, text out. */
exports.compile = function compile(input, options) {
  return require(PACKAGE).compile(input, { import: reader(options) });
};
