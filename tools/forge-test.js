// `forge test` that fails when no test ran: by itself it exits 0 then, and a suite that compiles to nothing looks green.
// Snapshots of gas and size are compared with the committed ones; UPDATE_SNAPSHOTS=1 writes them anew.
// Arguments go to forge.
"use strict";

const { spawn } = require("node:child_process");

const SUMMARY = /Ran \d+ test suites? in .*?: (\d+) tests? passed, (\d+) failed, (\d+) skipped/;

const env = { ...process.env, NO_COLOR: "1", FORGE_SNAPSHOT_CHECK: process.env.UPDATE_SNAPSHOTS ? "false" : "true" };
const forge = spawn("forge", ["test", ...process.argv.slice(2)], { env, stdio: ["ignore", "pipe", "inherit"] });

let output = "";
forge.stdout.setEncoding("utf8");
forge.stdout.on("data", (text) => {
  output += text;
  process.stdout.write(text);
});
forge.on("error", (error) => {
  console.error(`forge did not start (${error.message}): run npm ci`);
  process.exitCode = 1;
});
forge.on("close", (code) => {
  const passed = Number(SUMMARY.exec(output)?.[1] ?? 0);
  if (code !== 0) process.exitCode = code ?? 1;
  else if (passed === 0) {
    console.error("forge test: no test ran");
    process.exitCode = 1;
  }
});
