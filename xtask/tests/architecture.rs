//! docs/adding-an-architecture.md is true: what it says, done in a copy of the linker, makes an architecture that passes the
//! linker's own tests.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The file that the page adds, and its name in the list.
const FILE: &str = "m68k.rs";
const WORD: &str = "m68k";

/// The list it is added to.
const LIST: &str = "architectures! {";

#[test]
fn one_file_and_one_word_add_an_architecture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let copy = built.join("architecture");
    let page = read(&root.join("docs/adding-an-architecture.md"));
    assert!(
        page.contains(&format!("`{FILE}`, whose name in the list is `{WORD}`")),
        "the page calls it otherwise"
    );
    let (_, code) = page.split_once("```rust\n").expect("the page shows the file");
    let (code, _) = code.split_once("```").expect("the file ends");

    let _ = fs::remove_dir_all(&copy);
    copy_folder(&root.join("crates/llext-link"), &copy.join("crates/llext-link"));
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock")).expect("the lock file can be copied");
    let manifest = read(&root.join("Cargo.toml"));
    // A workspace of one crate: what others use is not asked for, and how they are built not said.
    let tables = manifest.split("\n[").filter(|table| !table.starts_with("profile."));
    let manifest = tables.collect::<Vec<_>>().join("\n[");
    let is_ours = |line: &&str| !line.contains("path = \"crates/") || line.starts_with("llext-link ");
    let manifest = manifest.lines().filter(is_ours);
    let only = |line| if str::starts_with(line, "members = ") { "members = [\"crates/*\"]" } else { line };
    let manifest = manifest.map(only).collect::<Vec<_>>().join("\n");
    fs::write(copy.join("Cargo.toml"), manifest).expect("the manifest can be written");

    let arch = copy.join("crates/llext-link/src/arch");
    fs::write(arch.join(FILE), code).expect("the file can be written");
    let list = read(&arch.join("mod.rs"));
    assert_eq!(list.matches(&format!("\n{LIST}")).count(), 1, "there is one list");
    let list = list.replace(&format!("\n{LIST}"), &format!("\n{LIST} {WORD}"));
    fs::write(arch.join("mod.rs"), list).expect("the list can be written");

    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["test", "--offline", "--lib", "--target-dir"])
        .arg(built.join("of-architecture"))
        .current_dir(&copy);
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "false");
    let output = cargo.output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for test in [
        "rows_are_sorted_and_named_as_in_the_psabi",
        "ranges_end_at_their_edges_and_nothing_beyond_is_written",
    ] {
        assert!(said.contains(&format!("{test} ... ok")), "{test} did not run:\n{said}");
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("a folder can be listed");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        }
    }
}
