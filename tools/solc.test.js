// `node --test tools`: the wrapper must look like native solc to forge and foundry-compilers.
"use strict";

const assert = require("node:assert/strict");
const { spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");

const SOLC = path.join(__dirname, "solc");

function solc(args, input = "", cwd = __dirname) {
  return spawnSync(process.execPath, [SOLC, ...args], { input, cwd, encoding: "utf8", maxBuffer: 1 << 28 });
}

function request(sources, selection = ["evm.bytecode.object"]) {
  return JSON.stringify({ language: "Solidity", sources, settings: { outputSelection: { "*": { "*": selection } } } });
}

function errorsOf(output) {
  return (output.errors ?? []).filter((error) => error.severity === "error");
}

test("--version answers in native solc's form, twice the same", () => {
  for (let i = 0; i < 2; i += 1) {
    const { stdout, status } = solc(["--version"]);
    assert.equal(status, 0);
    assert.match(stdout, /^solc, the solidity compiler commandline interface\nVersion: 0\.8\.37\+commit\.[0-9a-f]{8}\./);
  }
});

test("--standard-json prints JSON and nothing else", () => {
  const { stdout, stderr, status } = solc(["--standard-json"], request({ "A.sol": { content: "contract A {}" } }));
  assert.equal(status, 0);
  assert.equal(stderr, "");
  const output = JSON.parse(stdout);
  assert.deepEqual(errorsOf(output), []);
  assert.match(output.contracts["A.sol"].A.evm.bytecode.object, /^6080/);
});

test("an output far larger than a pipe arrives whole", () => {
  const contracts = Array.from({ length: 400 }, (_, i) => `contract C${i} { uint256 public value${i} = ${i}; }`).join("\n");
  const { stdout } = solc(["--standard-json"], request({ "A.sol": { content: contracts } }, ["*"]));
  assert.ok(stdout.length > 1 << 20);
  assert.equal(Object.keys(JSON.parse(stdout).contracts["A.sol"]).length, 400);
});

test("a deep expression does not overflow the stack", () => {
  // 10,000 operators in a row are a tree that deep; parentheses the parser itself limits to about 200.
  const deep = `contract A { uint256 public constant X = 1${"+1".repeat(10_000)}; }`;
  const { stdout, status } = solc(["--standard-json"], request({ "A.sol": { content: deep } }));
  assert.equal(status, 0);
  assert.deepEqual(errorsOf(JSON.parse(stdout)), []);
});

test("imports come from the base path and the include paths, and from nowhere else", () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "solc-wrapper-"));
  try {
    const base = path.join(folder, "base");
    const lib = path.join(folder, "lib");
    for (const dir of [base, lib]) fs.mkdirSync(dir);
    fs.writeFileSync(path.join(base, "B.sol"), "contract B {}");
    fs.writeFileSync(path.join(lib, "L.sol"), "contract L {}");
    fs.writeFileSync(path.join(folder, "Secret.sol"), "contract Secret {}");
    fs.symlinkSync(path.join(folder, "Secret.sol"), path.join(base, "Link.sol"));
    const compile = (imports) => {
      const content = `${imports.map((file) => `import "${file}";`).join("")} contract A {}`;
      const args = ["--standard-json", "--base-path", base, "--include-path", lib];
      return errorsOf(JSON.parse(solc(args, request({ "A.sol": { content } }), folder).stdout));
    };
    assert.deepEqual(compile(["B.sol", "L.sol"]), []);
    assert.match(compile(["Missing.sol"])[0].message, /not found/);
    assert.match(compile(["Link.sol"])[0].message, /outside of allowed/);
    assert.match(compile(["../Secret.sol"])[0].message, /outside of allowed|not found/);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test("a wrong command line fails with the usage", () => {
  for (const args of [[], ["--bin"], ["--standard-json", "--base-path"]]) {
    const { status, stdout, stderr } = solc(args);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /usage: solc/);
  }
});

test("an unreadable input file fails", () => {
  const { status, stderr } = solc(["--standard-json", "no-such-file.json"]);
  assert.equal(status, 1);
  assert.match(stderr, /cannot read/);
});
