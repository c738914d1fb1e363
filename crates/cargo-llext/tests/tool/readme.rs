//! What the README shows of several extensions is what the tool prints.

use std::path::Path;
use std::process::Command;

use crate::support::Place;

/// A command of the README, what is typed at its prompt, and all that is printed.
#[derive(Default)]
struct Shown {
    command: String,
    typed: String,
    printed: Vec<String>,
}

/// The commands in the console blocks of a section.
fn shown(readme: &str, section: &str) -> Vec<Shown> {
    let (_, text) = readme.split_once(&format!("\n## {section}\n")).unwrap();
    let text = text.split("\n## ").next().unwrap();
    let blocks = text.split("```console\n").skip(1).map(|block| block.split("```").next().unwrap());
    let mut all: Vec<Shown> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        if let Some(command) = line.strip_prefix("$ cargo llext ") {
            all.push(Shown { command: command.to_owned(), ..Shown::default() });
        } else if let Some(typed) = line.strip_prefix("llext> ") {
            all.last_mut().unwrap().typed += &format!("{typed}\n");
        } else {
            all.last_mut().unwrap().printed.push(comparable(line));
        }
    }
    all
}

/// Addresses and sizes are another machine's and another compiler's.
fn comparable(line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |at: usize| match words.get(at + 1) {
        _ if words[at].starts_with("0x") => "ADDRESS",
        Some(next) if next.starts_with("bytes") => "SIZE",
        _ => words[at],
    };
    (0..words.len()).map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(unix)]
#[test]
fn several_extensions_do_what_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let place = Place::new();
    std::os::unix::fs::symlink(root.join("extensions"), place.path("extensions")).unwrap();
    let all = shown(&std::fs::read_to_string(root.join("README.md")).unwrap(), "Several extensions");
    assert!(all.len() >= 4, "the commands are found");
    for Shown { command, typed, printed } in all {
        // One pipe for all that is printed, as on a terminal.
        let line = format!("{} {command} 2>&1", assert_cmd::cargo::cargo_bin!("llext").display());
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(place.path(""));
        let output = assert_cmd::Command::from_std(shell).write_stdin(typed).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(found.lines().map(comparable).collect::<Vec<_>>(), printed, "{command}:\n{found}");
    }
}
