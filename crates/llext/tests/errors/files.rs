//! Compiled files, and where in them the bytes lie that a test spoils.

use crate::common::compile;
use llext::{Error, Host};

/// An object of this C source.
pub(crate) fn object(name: &str, source: &str) -> Vec<u8> {
    compile(&format!("error_{name}"), source, &["-O1"])
}

/// A shared object of this C source, linked without any library.
pub(crate) fn shared(name: &str, source: &str, flags: &[&str]) -> Vec<u8> {
    let flags = [&["-O1", "-shared", "-nostdlib"], flags].concat();
    compile(&format!("error_{name}_so"), source, &flags)
}

/// Does all of a load but run it.
pub(crate) fn verify(host: &Host, bytes: &[u8]) -> Result<llext::loader::Footprint, Error> {
    host.loader().verify("wrong", bytes)
}

/// The 64-bit number at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Overwrites the 64-bit number at `at`.
pub(crate) fn set_word(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn half(bytes: &[u8], at: usize) -> usize {
    u16::from_le_bytes([bytes[at], bytes[at + 1]]).into()
}

/// Where the header of the section called `name` lies, whose fields are `sh_addr` (16), `sh_offset` (24), `sh_size` (32).
pub(crate) fn section(bytes: &[u8], name: &str) -> usize {
    let header = |index: usize| word(bytes, 40) as usize + index * 64;
    let names = word(bytes, header(half(bytes, 62)) + 24) as usize;
    let is_called = |at: &usize| {
        let offset = u32::from_le_bytes(bytes[*at..at + 4].try_into().unwrap()) as usize;
        bytes[names + offset..].strip_prefix(name.as_bytes()).is_some_and(|rest| rest[0] == 0)
    };
    (0..half(bytes, 60)).map(header).find(is_called).unwrap_or_else(|| panic!("no section {name}"))
}

/// Where the contents of a section begin in the file.
pub(crate) fn contents(bytes: &[u8], name: &str) -> usize {
    word(bytes, section(bytes, name) + 24) as usize
}

/// Where the value of a dynamic section's entry lies.
pub(crate) fn dynamic(bytes: &[u8], tag: u64) -> usize {
    let start = contents(bytes, ".dynamic");
    let end = start + word(bytes, section(bytes, ".dynamic") + 32) as usize;
    let found = (start..end).step_by(16).find(|at| word(bytes, *at) == tag);
    found.unwrap_or_else(|| panic!("no entry {tag}")) + 8
}
