//! What this process has mapped, and how.

use std::fs;

/// The lines of /proc/self/maps, without the heap and the stack, which grow as they please.
#[derive(PartialEq, Eq)]
pub(crate) struct Maps(Vec<String>);

const READABLE: i32 = 4;
const WRITABLE: i32 = 2;
const EXECUTABLE: i32 = 1;

impl Maps {
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string("/proc/self/maps").expect("Linux tells what is mapped");
        let grows = |line: &&str| line.ends_with("[heap]") || line.ends_with("[stack]");
        Self(text.lines().filter(|line| !grows(line)).map(str::to_owned).collect())
    }

    /// Mappings that are writable and executable at once.
    pub(crate) fn writable_code(&self) -> impl Iterator<Item = &str> {
        let both = |line: &&str| protection(line) & (WRITABLE | EXECUTABLE) == WRITABLE | EXECUTABLE;
        self.0.iter().map(String::as_str).filter(both)
    }

    /// What is mapped here and was not in `before`, and the other way round.
    pub(crate) fn difference(&self, before: &Self) -> Vec<String> {
        let new = self.0.iter().filter(|line| !before.0.contains(line)).map(|line| format!("+{line}"));
        let gone = before.0.iter().filter(|line| !self.0.contains(line)).map(|line| format!("-{line}"));
        new.chain(gone).collect()
    }
}

/// How the page of `address` is mapped: 4 readable, 2 writable, 1 executable, added up; 0 when it is not.
pub(crate) fn protection_at(address: usize) -> i32 {
    let text = fs::read_to_string("/proc/self/maps").expect("Linux tells what is mapped");
    let holds = |line: &&str| range(line).is_some_and(|(start, end)| (start..end).contains(&address));
    text.lines().find(holds).map_or(0, protection)
}

fn range(line: &str) -> Option<(usize, usize)> {
    let (start, end) = line.split(' ').next()?.split_once('-')?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}

fn protection(line: &str) -> i32 {
    let letters = line.split(' ').nth(1).unwrap_or_default();
    let bit = |letter: char, bit: i32| if letters.contains(letter) { bit } else { 0 };
    bit('r', READABLE) + bit('w', WRITABLE) + bit('x', EXECUTABLE)
}
