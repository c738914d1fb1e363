//! The script: read line by line, because a board may have little memory.

use crate::computer::File;
use core::ffi::CStr;
use llext::source::Source;

/// A line and the NUL after it have at most so many bytes.
const LINE: usize = 640;

/// A file of lines.
pub(super) struct Script {
    file: File,
    size: u64,
    /// Where the next line begins.
    at: u64,
    line: [u8; LINE],
}

/// A line of it.
pub(super) enum Command<'a> {
    /// Where extensions are loaded to: the first line.
    Pool {
        unified: bool,
    },
    /// What follows belongs to this case.
    Case(&'a str),
    Load(What<'a>),
    Call {
        slot: usize,
        name: &'a str,
        arguments: [Option<i32>; 2],
    },
    Object {
        slot: usize,
        name: &'a str,
    },
    Store {
        slot: usize,
        name: &'a str,
        value: i32,
    },
    Align {
        slot: usize,
        name: &'a str,
        bytes: usize,
    },
    Find {
        slot: usize,
        name: &'a str,
    },
    Unload {
        slot: usize,
    },
    /// Loads, calls `probe` and unloads so many times.
    Cycle {
        count: u32,
        what: What<'a>,
    },
    Memory,
    Unknown,
}

/// What to load, from where, and which slot it goes to. What lies in lower slots is what it needs.
#[derive(Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) slot: usize,
    pub(super) name: &'a str,
    pub(super) from: From,
    pub(super) path: &'a CStr,
}

/// Where the loader takes the bytes from.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// A slice that is lent for the life of the load.
    Lent,
    /// A slice that may only be read from.
    ReadOnly,
    /// A file on the computer.
    File,
}

impl Script {
    pub(super) fn new(mut file: File) -> Self {
        let size = file.size().unwrap_or(0);
        Self { file, size, at: 0, line: [0; LINE] }
    }

    /// The next line, if there is one.
    pub(super) fn next(&mut self) -> Option<Command<'_>> {
        let rest = usize::try_from(self.size - self.at).unwrap_or(LINE).min(LINE);
        let read = &mut self.line[..rest];
        self.file.read_at(self.at, read).ok()?;
        let end = read.iter().position(|byte| *byte == b'\n')?;
        self.at += end as u64 + 1;
        self.line[end] = 0; // so that the path at its end is a C string
        Some(parse(&self.line[..=end]).unwrap_or(Command::Unknown))
    }
}

fn parse(line: &[u8]) -> Option<Command<'_>> {
    let text = core::str::from_utf8(&line[..line.len() - 1]).ok()?;
    let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut words = rest.split(' ');
    let last = &line[line.len() - 1 - text.rsplit(' ').next()?.len()..];
    let path = CStr::from_bytes_with_nul(last).ok()?;
    Some(match command {
        "pool" => Command::Pool { unified: rest == "unified" },
        "case" => Command::Case(rest),
        "load" => Command::Load(what(&mut words, path)?),
        "call" => {
            let (slot, name) = (words.next()?.parse().ok()?, words.next()?);
            Command::Call { slot, name, arguments: [(); 2].map(|()| words.next()?.parse().ok()) }
        }
        "object" => Command::Object { slot: words.next()?.parse().ok()?, name: words.next()? },
        "store" => {
            let (slot, name) = (words.next()?.parse().ok()?, words.next()?);
            Command::Store { slot, name, value: words.next()?.parse().ok()? }
        }
        "align" => {
            let (slot, name) = (words.next()?.parse().ok()?, words.next()?);
            Command::Align { slot, name, bytes: words.next()?.parse().ok().filter(|bytes| *bytes > 0)? }
        }
        "find" => Command::Find { slot: words.next()?.parse().ok()?, name: words.next()? },
        "unload" => Command::Unload { slot: words.next()?.parse().ok()? },
        "cycle" => Command::Cycle { count: words.next()?.parse().ok()?, what: what(&mut words, path)? },
        "memory" => Command::Memory,
        _ => return None,
    })
}

/// `SLOT NAME FROM PATH`, the path being the line's last word.
fn what<'a>(words: &mut core::str::Split<'a, char>, path: &'a CStr) -> Option<What<'a>> {
    let (slot, name) = (words.next()?.parse().ok()?, words.next()?);
    let from = match words.next()? {
        "lent" => From::Lent,
        "read-only" => From::ReadOnly,
        "file" => From::File,
        _ => return None,
    };
    Some(What { slot, name, from, path })
}
