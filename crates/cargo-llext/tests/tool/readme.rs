//! What the README shows of several extensions, and of linking on the host, is what the tool prints.

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
        if let Some(command) = line.strip_prefix("$ ") {
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
    let is_region = words.first().is_some_and(|first| ["code", "constants", "data"].contains(first));
    let word = |at: usize| match words.get(at + 1) {
        _ if words[at].starts_with("0x") => "ADDRESS",
        _ if is_region && words[at].parse::<u32>().is_ok() => "SIZE",
        Some(next) if next.starts_with("bytes") => "SIZE",
        _ => words[at],
    };
    (0..words.len()).map(word).collect::<Vec<_>>().join(" ")
}

/// Runs a section's commands, all of them in one folder that has some of the project's folders in it.
#[cfg(unix)]
fn keeps_its_word(section: &str, least: usize, folders: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let place = Place::new();
    for folder in folders {
        std::os::unix::fs::symlink(root.join(folder), place.path(folder)).unwrap();
    }
    let all = shown(&std::fs::read_to_string(root.join("README.md")).unwrap(), section);
    assert!(all.len() >= least, "the commands are found");
    let tool = assert_cmd::cargo::cargo_bin!("llext").display().to_string();
    for Shown { command, typed, printed } in all {
        // One pipe for all that is printed, as on a terminal.
        let line = format!("({}) 2>&1", command.replace("cargo llext", &tool));
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).current_dir(place.path(""));
        let output = assert_cmd::Command::from_std(shell).write_stdin(typed).output().unwrap();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(found.lines().map(comparable).collect::<Vec<_>>(), printed, "{command}:\n{found}");
    }
}

#[cfg(unix)]
#[test]
fn several_extensions_do_what_is_shown() {
    keeps_its_word("Several extensions", 4, &["extensions"]);
}

#[cfg(unix)]
#[test]
fn an_extension_is_linked_on_the_host_as_shown() {
    let compilers = ["arm-none-eabi-gcc", "riscv64-unknown-elf-gcc", "aarch64-linux-gnu-gcc"];
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    if let Some(missing) = compilers.into_iter().find(|name| !is_there(name)) {
        leave_out(&format!("{missing} is not installed"));
        return;
    }
    keeps_its_word("Linked on the host", 8, &["boards", "docs", "include"]);
}

/// Where the harness does not capture it: the task runner says so at its end.
#[cfg(unix)]
fn leave_out(why: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("left out: {why}\n"));
}
