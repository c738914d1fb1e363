//! What the suite loads that is compressed: LZ4 frames, by the program `lz4`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::Result;
use crate::process::{find, output};

/// The frames: what they are called, what is compressed, and how.
const FRAMES: [(&str, &str, &[&str]); 7] = [
    ("hello.lz4", "plain", &["--content-size"]),
    ("hello.r.lz4", "hello.r", &["--content-size"]),
    ("hello.so.lz4", "hello.so", &["--content-size"]),
    ("unsized.lz4", "plain", &["--no-content-size"]),
    ("unchecked.lz4", "plain", &["--content-size", "--no-frame-crc"]),
    ("large.lz4", "large", &["--content-size", "-B4"]),
    ("linked.lz4", "large", &["--content-size", "-B4", "-BD", "-BX"]),
];

/// How large the file is of which the large frames are made: blocks of theirs have 64 KiB.
const LARGE: usize = 150 << 10;
/// How much follows that cannot be compressed.
const NOISE: usize = 80 << 10;

/// Whether there is the program.
pub(super) fn are_made() -> bool {
    find("lz4").is_some()
}

/// Makes all of them in `folder`, of the extension called `hello` there and of what is loaded instead of its object.
pub(super) fn make(hello: &str, folder: &Path) -> Result<()> {
    let plain = fs::read(folder.join(hello))?;
    fs::write(folder.join("plain"), &plain)?;
    fs::write(folder.join("large"), large(&plain))?;
    for (name, of, options) in FRAMES {
        output(Command::new("lz4").current_dir(folder).args(["-q", "-f"]).args(options).args([of, name]))?;
    }
    Ok(())
}

/// A file with more behind it, which no loader looks at.
fn large(plain: &[u8]) -> Vec<u8> {
    let mut large = plain.repeat(LARGE.div_ceil(plain.len()));
    let mut state = 1_u32;
    large.extend((0..NOISE).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    }));
    large
}
