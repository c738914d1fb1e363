//! What surrounds the code: nothing left half done, one licence, and the papers every project has.

use crate::code::{line, words};
use crate::files::File;

/// Marks of unfinished work, written so that this file does not hold them.
const MARKS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimplemented", "!"), concat!("todo", "!")];

pub(crate) fn finished(files: &[File]) -> Vec<String> {
    files.iter().flat_map(|file| MARKS.iter().flat_map(move |mark| marks(file, mark))).collect()
}

fn marks(file: &File, mark: &str) -> Vec<String> {
    let found = words(&file.text, mark).map(|at| format!("{}:{}: {mark}", file.path, line(&file.text, at)));
    found.collect()
}

const LICENCE: &str = "MIT OR Apache-2.0";
const LICENCE_FILES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Every package says the same licence, and no file brings one of its own.
pub(crate) fn licence(files: &[File]) -> Vec<String> {
    files.iter().filter_map(|file| Some(format!("{}: {}", file.path, other_licence(file)?))).collect()
}

fn other_licence(file: &File) -> Option<&'static str> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    // What is made from a template belongs to whoever makes it.
    if LICENCE_FILES.contains(&file.path.as_str()) || file.path.contains("/templates/") {
        return None;
    }
    let upper = name.to_uppercase();
    if ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|word| upper.starts_with(word)) {
        return Some("a second licence");
    }
    if name == "Cargo.toml" && file.text.contains("[package]") && !says_licence(&file.text) {
        return Some("the package does not say `MIT OR Apache-2.0`");
    }
    let foreign = |line: &str| {
        line.split_once(concat!("SPDX-License-", "Identifier:")).is_some_and(|(_, id)| !id.contains(LICENCE))
    };
    if file.text.lines().any(foreign) {
        return Some("names another licence");
    }
    file.text.contains(concat!("Copyright ", "(")).then_some("claims a copyright of its own")
}

/// In so many words, or by the workspace, whose own manifest is checked by the former.
fn says_licence(manifest: &str) -> bool {
    let own = format!("license = \"{LICENCE}\"");
    manifest.lines().any(|line| line == own || line == "license.workspace = true")
}

const PAPERS: [&str; 8] = [
    "README.md",
    "DESIGN.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "Cargo.lock",
];

pub(crate) fn present(files: &[File]) -> Vec<String> {
    let missing = PAPERS.iter().filter(|paper| !files.iter().any(|file| file.path == **paper));
    missing.map(|paper| format!("{paper} is missing")).collect()
}

/// Every test and every source that docs/parity.md names is there.
pub(crate) fn shown(files: &[File]) -> Vec<String> {
    let page = files.iter().find(|file| file.path == "docs/parity.md");
    let named = page.into_iter().flat_map(|page| page.text.split('`').skip(1).step_by(2));
    let missing = named.filter(|name| !is_there(files, name));
    missing.map(|name| format!("docs/parity.md: `{name}` is not there")).collect()
}

/// Whether a name is that of no test and no source, or of one that is there. Tests in C are those of llext-capi's suite.
fn is_there(files: &[File], name: &str) -> bool {
    let is_name = |text: &str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    match name.split_once("::") {
        Some((file, test)) if is_name(file) && is_name(test) => {
            let in_rust = (format!("/{file}.rs"), format!("fn {test}("));
            let in_c = (format!("/suite/{file}.c"), format!("static void {test}(void)"));
            let has = |file: &File, (ending, function): &(String, String)| {
                file.path.ends_with(ending) && file.text.contains(function)
            };
            files.iter().any(|file| has(file, &in_rust) || has(file, &in_c))
        }
        _ if name.starts_with("extensions/") => files.iter().any(|file| file.path.starts_with(name)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(path: &str, text: &str) -> [File; 1] {
        [File::planted(path, text)]
    }

    #[test]
    fn a_mark_of_unfinished_work_is_found() {
        for mark in MARKS {
            assert_eq!(
                finished(&planted("a.md", &format!("\n// {mark}: later"))),
                [format!("a.md:2: {mark}")]
            );
        }
        assert!(finished(&planted("a.md", "MASTODON")).is_empty());
    }

    #[test]
    fn another_licence_is_found() {
        assert_eq!(licence(&planted("extensions/COPYING", "")).len(), 1);
        assert_eq!(licence(&planted("a/Cargo.toml", "[package]\nname = \"a\"\n")).len(), 1);
        assert_eq!(licence(&planted("a/Cargo.toml", "[package]\nlicense = \"GPL-3.0\"\n")).len(), 1);
        assert_eq!(licence(&planted("a.c", concat!("// SPDX-License-", "Identifier: GPL-2.0"))).len(), 1);
        assert_eq!(licence(&planted("a.c", concat!("/* Copyright ", "(c) 1999 Somebody */"))).len(), 1);
    }

    #[test]
    fn the_projects_licence_is_not() {
        assert!(licence(&planted("LICENSE-MIT", concat!("Copyright ", "(c)"))).is_empty());
        assert!(licence(&planted("a/Cargo.toml", "[package]\nlicense.workspace = true\n")).is_empty());
        assert!(
            licence(&planted("a.c", concat!("// SPDX-License-", "Identifier: MIT OR Apache-2.0"))).is_empty()
        );
    }

    #[test]
    fn a_test_that_is_named_and_not_there_is_found() {
        let page = "`a::b_c`, `extensions/x.c`, `Loader::load`, `cargo xtask oracle`";
        let mut files = vec![File::planted("docs/parity.md", page)];
        assert_eq!(shown(&files).len(), 2);
        files.push(File::planted("tests/a.rs", "fn b_cd() {}"));
        assert_eq!(shown(&files).len(), 2);
        files.push(File::planted("tests/a.rs", "fn b_c() {}"));
        files.push(File::planted("extensions/x.c", ""));
        assert!(shown(&files).is_empty());
        files[2] = File::planted("crates/d/suite/a.c", "static void b_c(void)\n{");
        assert!(shown(&files).is_empty());
    }

    #[test]
    fn a_missing_paper_is_found() {
        assert_eq!(present(&planted("README.md", "")).len(), PAPERS.len() - 1);
    }
}
