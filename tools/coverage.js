// `forge coverage` of the hand-written contracts, which fails when a file has less than 98 % of its lines or branches covered.
// What forge builds for it is not optimised and lies in folders of its own: `out` stays what the other tests use.
"use strict";

const { spawnSync } = require("node:child_process");
const { mkdirSync, readFileSync } = require("node:fs");
const path = require("node:path");

const LEAST = 98;
// Not measured: rendered verifiers have tests of every byte of their own, mocks are for tests, interfaces have no code.
const MEASURED = /^contracts\/(?!mocks\/|interfaces\/)/;

/** Lines and branches by file, from lcov's records. */
function parse(lcov) {
  const files = [];
  let file;
  for (const line of lcov.split("\n")) {
    const [key, value] = line.split(/:(.*)/s);
    if (key === "SF") file = { name: value, LF: 0, LH: 0, BRF: 0, BRH: 0 };
    else if (file && key in file) file[key] = Number(value);
    else if (key === "end_of_record") files.push(file);
  }
  return files.filter(({ name }) => MEASURED.test(name));
}

/** A row per file; `ok` where both shares reach the limit. */
function judge(files) {
  const share = (hit, found) => (found === 0 ? 100 : (100 * hit) / found);
  return files.map(({ name, LF, LH, BRF, BRH }) => {
    const [lines, branches] = [share(LH, LF), share(BRH, BRF)];
    return { name, lines, branches, ok: lines >= LEAST && branches >= LEAST };
  });
}

function main() {
  const folder = path.join("cache_forge", "coverage");
  const report = path.join(folder, "lcov.info");
  mkdirSync(folder, { recursive: true });
  const env = {
    ...process.env,
    NO_COLOR: "1",
    FOUNDRY_OUT: path.join(folder, "out"),
    FOUNDRY_CACHE_PATH: path.join(folder, "cache"),
    // Gas and size of code that is not optimised are no snapshots.
    FORGE_SNAPSHOT_CHECK: "false",
    FORGE_SNAPSHOT_EMIT: "false",
  };
  const args = ["coverage", "--report", "lcov", "--report-file", report];
  args.push("--no-match-path", "test/{verifier,script}/*", "--no-match-test", "test_gas|test_sizes|invariant_");
  const done = spawnSync("forge", args, { env, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error || done.status !== 0) {
    console.error(done.error ? `forge did not start (${done.error.message}): run npm ci` : "forge coverage failed");
    return 1;
  }
  const rows = judge(parse(readFileSync(report, "utf8")));
  for (const { name, lines, branches, ok } of rows) {
    console.log(`${ok ? "ok  " : "LOW "} ${name}: lines ${lines.toFixed(1)} %, branches ${branches.toFixed(1)} %`);
  }
  if (rows.length === 0) console.error("coverage: no contract was measured");
  return rows.length !== 0 && rows.every(({ ok }) => ok) ? 0 : 1;
}

module.exports = { judge, parse };
if (require.main === module) process.exitCode = main();
