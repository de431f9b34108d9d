"use strict";

const assert = require("node:assert");
const { test } = require("node:test");
const { judge, parse } = require("./coverage");

const record = (name, LF, LH, BRF, BRH) =>
  `TN:\nSF:${name}\nDA:1,1\nLF:${LF}\nLH:${LH}\nBRF:${BRF}\nBRH:${BRH}\nend_of_record\n`;

test("only hand-written contracts are measured", () => {
  const lcov = ["contracts/A.sol", "contracts/mocks/M.sol", "test/T.sol", "script/S.sol", "contracts/b/B.sol"]
    .map((name) => record(name, 1, 1, 0, 0))
    .join("");
  assert.deepStrictEqual(parse(lcov).map(({ name }) => name), ["contracts/A.sol", "contracts/b/B.sol"]);
});

test("98 % of lines and of branches is enough, less of either is not", () => {
  const ok = (...counts) => judge(parse(record("contracts/A.sol", ...counts)))[0].ok;
  assert.ok(ok(100, 98, 50, 49));
  assert.ok(ok(10, 10, 0, 0));
  assert.ok(!ok(100, 97, 50, 50));
  assert.ok(!ok(100, 100, 50, 48));
});
