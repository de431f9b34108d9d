//! `docs/deployments.schema.json` against records that were really written: ajv, which npm brings, has the word.

#![allow(dead_code)]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

const CHECK: &str = "const fs = require('fs'), Ajv = require('ajv/dist/2020'); const [schema, record] = process.argv.slice(1) \
    .map(path => JSON.parse(fs.readFileSync(path))); process.exit(new Ajv({ strict: true }).validate(schema, record) ? 0 : 1)";

/// Whether a record is as the schema says.
pub fn fits(record: &Value) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("record.json");
    std::fs::write(&file, record.to_string()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = root.join("docs/deployments.schema.json");
    let node = Command::new("node").args(["-e", CHECK]).args([&schema, &file]).current_dir(root).output().unwrap();
    assert!(node.stderr.is_empty(), "{}", String::from_utf8_lossy(&node.stderr));
    node.status.success()
}

/// Each of these changes makes a record none.
pub fn refuses_what_is_not(record: &Value) {
    let changes: [fn(&mut Value); 7] = [
        |r| r["version"] = 2.into(),
        |r| r["chainid"] = 1.into(),
        |r| r["contracts"]["InferenceRouter"]["adress"] = "0x".into(),
        |r| r["contracts"]["InferenceRouter"]["address"] = "0x12".into(),
        |r| r["contracts"]["InferenceRouter"]["srs"] = "insecure-dev".into(),
        |r| r["contracts"]["InferenceRouter"]["governance"]["delay"] = "5".into(),
        |r| r["contracts"]["InferenceRouter"]["governance"]["keeper"] = "0x".into(),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = record.clone();
        change(&mut changed);
        assert!(!fits(&changed), "change {i}");
    }
}
