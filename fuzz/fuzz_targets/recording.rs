#![no_main]

#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(init: targets::keep_panics(), |data: &[u8]| {
    targets::recording(data);
});
