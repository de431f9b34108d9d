//! What the process settles with the machine before it does anything else.

/// The first instruction set that field arithmetic is compiled for and this processor does not have: without this question the first
/// multiplication would kill the process.
#[cfg(target_arch = "x86_64")]
pub(super) fn lacking() -> Option<&'static str> {
    let has = [("bmi2", is_x86_feature_detected!("bmi2")), ("adx", is_x86_feature_detected!("adx"))];
    has.into_iter().find(|(_, has)| !has).map(|(name, _)| name)
}

/// Other architectures compile the portable arithmetic.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn lacking() -> Option<&'static str> {
    None
}

/// Has glibc keep one heap for all threads. With one for each thread it holds on to what every one of them has freed: up to a third more
/// memory for a proof, whose threads take turns with large columns, and no time saved.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn one_arena() {
    // SAFETY: sets a limit inside the allocator; no thread but this one runs yet. A refusal changes nothing.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Other allocators are left alone.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn one_arena() {}
