//! What may stand only in some places: `unsafe`, and the name of the processor.

use crate::code::{code, line, words};
use crate::files::File;

/// A crate in crates/, and the beginnings of the paths below its `src` where something may stand; `*` for all.
type Places = &'static [(&'static str, &'static str)];

/// Whose soundness somebody has to vouch for.
const UNSAFE: Places = &[
    ("llext", "memory cache protect call native fault export lifecycle lock registry loader host"),
    ("llext-macros", "*"),
    ("llext-sdk", "*"),
    ("llext-capi", "*"),
    ("cargo-llext", "run"),
];

/// What differs from one processor to the next, besides data.
const ARCHITECTURE: Places =
    &[("llext", "memory/cache memory/protect call native fault host/fault"), ("llext-capi", "computer")];

pub(crate) fn unsafe_code(files: &[File]) -> Vec<String> {
    let mut found = only_in(UNSAFE, "unsafe", files);
    for file in files.iter().filter(|file| file.path == "crates/llext-link/src/lib.rs") {
        if !code(&file.text).contains("#![forbid(unsafe_code)]") {
            found.push(format!("{}: does not forbid unsafe code", file.path));
        }
    }
    found
}

pub(crate) fn architecture(files: &[File]) -> Vec<String> {
    only_in(ARCHITECTURE, "target_arch", files)
}

fn only_in(places: Places, word: &str, files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust() && !allowed(places, file))
        .flat_map(|file| found(word, file))
        .collect()
}

fn found(word: &str, file: &File) -> Vec<String> {
    let code = code(&file.text);
    words(&code, word)
        .map(|at| format!("{}:{}: `{word}` outside its rooms", file.path, line(&code, at)))
        .collect()
}

/// Files outside the crates (tests, boards, extensions) are what the crates are tried on, and may do as they need.
fn allowed(places: Places, file: &File) -> bool {
    let Some((name, path)) = file.in_crate() else { return true };
    let rooms = places.iter().find(|(of, _)| *of == name).map_or("", |(_, rooms)| rooms);
    let within = |room| path.strip_prefix(room).is_some_and(|rest| rest.starts_with(['.', '/']));
    rooms == "*" || rooms.split(' ').filter(|room| !room.is_empty()).any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(path: &str, text: &str) -> [File; 1] {
        [File::planted(path, text)]
    }

    #[test]
    fn unsafe_outside_its_rooms_is_found() {
        let text = "// unsafe\nfn f() { unsafe { g() } }";
        let found = unsafe_code(&planted("crates/llext/src/source.rs", text));
        assert_eq!(found, ["crates/llext/src/source.rs:2: `unsafe` outside its rooms"]);
        assert_eq!(unsafe_code(&planted("crates/llext-link/src/addr.rs", text)).len(), 1);
        assert_eq!(unsafe_code(&planted("crates/llext/src/memory_map.rs", text)).len(), 1);
    }

    #[test]
    fn unsafe_in_its_rooms_is_not() {
        let text = "fn f() { unsafe { g() } }";
        assert!(unsafe_code(&planted("crates/llext/src/memory/pool.rs", text)).is_empty());
        assert!(unsafe_code(&planted("crates/llext/tests/host.rs", text)).is_empty());
        assert!(
            unsafe_code(&planted("crates/llext/src/source.rs", "#![deny(unsafe_op_in_unsafe_fn)]"))
                .is_empty()
        );
    }

    #[test]
    fn the_linker_must_forbid_it() {
        assert_eq!(
            unsafe_code(&planted("crates/llext-link/src/lib.rs", "// #![forbid(unsafe_code)]")).len(),
            1
        );
        assert!(unsafe_code(&planted("crates/llext-link/src/lib.rs", "#![forbid(unsafe_code)]")).is_empty());
    }

    #[test]
    fn the_processor_outside_its_rooms_is_found() {
        let text = "#[cfg(target_arch = \"arm\")]\nfn f() {}";
        assert_eq!(architecture(&planted("crates/llext-link/src/relocate.rs", text)).len(), 1);
        assert!(architecture(&planted("crates/llext/src/memory/cache.rs", text)).is_empty());
        assert!(architecture(&planted("benches/src/main.rs", text)).is_empty());
    }
}
