//! `docs/from-nothing.md`, followed word for word: the files it shows are written, the commands are run in their order, and print
//! what stands below them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::board;
use crate::error::{Result, bail};
use crate::process;
use crate::project;
use crate::setup::bare::Compiler;

const PAGE: &str = "docs/from-nothing.md";
/// Before this, tools are installed, which is the set-up's.
const START: &str = "\n## The firmware\n";
const TARGET: &str = "thumbv7m-none-eabi";

/// What a page shows between fences.
#[derive(Debug, PartialEq, Eq)]
struct Block<'p> {
    /// The file it is, if the line before ends with its name.
    file: Option<&'p str>,
    text: &'p str,
}

/// The blocks of a page in their order.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some((before, fenced)) = rest.split_once("\n```") {
        let Some((_, fenced)) = fenced.split_once('\n') else { break };
        let Some((text, after)) = fenced.split_once("```\n") else { break };
        let named = before.trim_end().strip_suffix("`:").and_then(|line| line.rsplit_once('`'));
        found.push(Block { file: named.map(|(_, name)| name), text });
        rest = after;
    }
    found
}

/// The commands of a block, and what each prints.
fn commands(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let each = text.strip_prefix("$ ").unwrap_or_default().split("\n$ ");
    each.map(|command| command.split_once('\n').unwrap_or((command, "")))
}

/// What keeps it from being followed here, if anything does.
pub(crate) fn missing() -> Option<String> {
    board::of_target(TARGET).ok().and_then(board::Board::missing)
}

/// Follows the page in a folder of its own.
pub(crate) fn follow() -> Result<()> {
    let folder = new_folder()?;
    let followed = follow_in(&folder);
    fs::remove_dir_all(&folder)?;
    followed
}

fn follow_in(folder: &Path) -> Result<()> {
    let page = fs::read_to_string(project::root().join(PAGE))?;
    let Some((_, page)) = page.split_once(START) else { bail!("{PAGE} has no part `{}`", START.trim()) };
    let tool = format!("{} llext", project::tool()?.display());
    let blocks = blocks(page);
    for Block { file, text } in &blocks {
        match file {
            Some(file) => write(&folder.join(file), text)?,
            None => commands(text).try_for_each(|(command, printed)| run(folder, &tool, command, printed))?,
        }
    }
    if blocks.is_empty() { bail!("{PAGE} shows nothing") } else { Ok(()) }
}

/// An empty folder, in which llext lies. It is not in the target folder, which may be in this workspace: `cargo new` would
/// make what it makes there a member.
fn new_folder() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("llext-guide-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    link(project::root(), &folder.join("llext"))?;
    Ok(folder)
}

#[cfg(unix)]
fn link(from: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(from, to)?)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    bail!("the guide's commands are for a Unix shell")
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(file, text)?)
}

/// Runs a line in the folder, as whoever reads the page would.
fn run(folder: &Path, tool: &str, line: &str, printed: &str) -> Result<()> {
    let Some(compiler) = Compiler::find(TARGET) else { bail!("there is no Rust for {TARGET}") };
    let mut shell = compiler.serve(Command::new("sh"))?;
    shell
        .args(["-ec", &line.replace("cargo llext", tool)])
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR");
    let found = process::output_within(&mut shell, LIMIT)?;
    println!("{}", found.trim_end());
    if found.trim_end() != printed.trim_end() {
        bail!("`{line}` printed what {PAGE} does not show:\n{found}")
    }
    Ok(())
}

/// Compilers take their time on a machine that does much else.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_commands_are_told_apart() {
        let page = "Words. `a/b.c`:\n\n```c\nint a;\n```\n\n```console\n$ one\n$ two\nprinted\n```\n";
        let found = blocks(page);
        let commands_of = "$ one\n$ two\nprinted\n";
        let expected =
            [Block { file: Some("a/b.c"), text: "int a;\n" }, Block { file: None, text: commands_of }];
        assert_eq!(found, expected);
        assert_eq!(commands(commands_of).collect::<Vec<_>>(), [("one", ""), ("two", "printed\n")]);
    }

    #[test]
    fn the_page_is_found_with_its_files_and_commands() {
        let page = fs::read_to_string(project::root().join(PAGE)).unwrap();
        let (_, page) = page.split_once(START).unwrap();
        let blocks = blocks(page);
        assert_eq!(blocks.iter().filter(|block| block.file.is_some()).count(), 11);
        let printed =
            blocks.iter().flat_map(|block| commands(block.text)).map(|(_, printed)| printed.trim_end());
        assert_eq!(printed.filter(|printed| *printed == "42").count(), 4);
    }
}
