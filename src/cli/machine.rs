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

/// Lets go of the pages of the program's own file and of its libraries' that were touched so far. What is needed again the kernel maps again
/// from its cache; what only starting, or only reading, needed it would count as this process's memory to the end: for a small model most of it.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) fn forget_pages() {
    // SAFETY: `forget` reads what the loader hands over while it keeps it.
    unsafe {
        libc::dl_iterate_phdr(Some(forget), std::ptr::null_mut());
    }
}

/// Of one loaded object. Only pages are let go of that are still those of its file: segments that cannot be written, and none of an object
/// in whose text the loader has written. The first object, the program, has no name; the kernel's own has no path.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
unsafe extern "C" fn forget(info: *mut libc::dl_phdr_info, _: libc::size_t, _: *mut libc::c_void) -> libc::c_int {
    const TEXT_IS_WRITTEN: u64 = 22;
    const FLAGS: u64 = 30;
    const TEXT_IS_WRITTEN_FLAG: u64 = 4;
    // SAFETY: as above; a dynamic section is pairs of words that end with a zero, and is mapped.
    unsafe {
        let (base, name) = ((*info).dlpi_addr, *(*info).dlpi_name.cast::<u8>());
        let headers = std::slice::from_raw_parts((*info).dlpi_phdr, usize::from((*info).dlpi_phnum));
        let dynamic = headers.iter().filter(|header| header.p_type == libc::PT_DYNAMIC).flat_map(|header| {
            let words = (base + header.p_vaddr) as *const [u64; 2];
            std::slice::from_raw_parts(words, header.p_memsz as usize / 16).iter().take_while(|[tag, _]| *tag != 0)
        });
        let mut written =
            dynamic.filter(|[tag, value]| *tag == TEXT_IS_WRITTEN || *tag == FLAGS && value & TEXT_IS_WRITTEN_FLAG != 0);
        if !matches!(name, 0 | b'/') || written.next().is_some() {
            return 0;
        }
        let page = libc::sysconf(libc::_SC_PAGESIZE) as u64;
        for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0) {
            let start = base + header.p_vaddr;
            let [first, end] = [start.next_multiple_of(page), (start + header.p_memsz) / page * page];
            libc::madvise(first as *mut libc::c_void, end.saturating_sub(first) as usize, libc::MADV_DONTNEED);
        }
    }
    0
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(super) fn forget_pages() {}
