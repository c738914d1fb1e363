//! A firmware holds the relocations of its own processor and of no other: seen by the symbols and names in it.

use std::fs;
use std::path::Path;

use crate::error::{Result, bail};
use crate::project;

/// A file of rows in `llext-link/src/arch`.
struct Rows {
    name: String,
    /// What the psABI's names of its relocations begin with.
    prefix: String,
}

/// Fails unless `firmware` has the rows of `own` and none of another file.
pub(super) fn check(firmware: &[u8], own: &str) -> Result<()> {
    let rows = rows(&project::root().join("crates/llext-link/src/arch"))?;
    let Some(own) = rows.iter().find(|rows| rows.name == own) else { bail!("{own}: no such architecture") };
    if !own.symbols_in(firmware) {
        bail!("the firmware has no relocations of {}, or no symbols", own.name)
    }
    let foreign = |rows: &&Rows| rows.prefix != own.prefix && rows.are_in(firmware);
    match rows.iter().find(foreign) {
        Some(rows) => bail!("the firmware holds relocations of {}", rows.name),
        None => Ok(()),
    }
}

impl Rows {
    fn are_in(&self, firmware: &[u8]) -> bool {
        self.symbols_in(firmware) || holds(firmware, &self.prefix)
    }

    /// Both of Rust's manglings write a module as its length and its name.
    fn symbols_in(&self, firmware: &[u8]) -> bool {
        holds(firmware, &format!("4arch{}{}", self.name.len(), self.name))
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Every file and folder there that declares rows.
fn rows(folder: &Path) -> Result<Vec<Rows>> {
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file = if path.is_dir() { path.join("mod.rs") } else { path.clone() };
        let text = fs::read_to_string(file)?;
        let Some((_, declared)) = text.split_once("\nhowtos! {") else { continue };
        let names = declared.split_whitespace().find(|word| word.starts_with("R_"));
        let prefix = names.and_then(|name| name.get(..name[2..].find('_')? + 3));
        let (Some(stem), Some(prefix)) = (path.file_stem(), prefix) else {
            bail!("{}: no rows", path.display())
        };
        rows.push(Rows { name: stem.to_string_lossy().into_owned(), prefix: prefix.to_owned() });
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_table_is_found() {
        let own = b"_ZN10llext_link4arch3arm8MAINLINE17h0E\0R_ARM_ABS32";
        assert!(check(own, "arm").is_ok());
        for foreign in [&b"\0_ZN10llext_link4arch6x86_648ARCH"[..], b"R_AARCH64_ABS64"] {
            assert!(check(&[own, foreign].concat(), "arm").is_err());
        }
        assert!(check(b"stripped", "arm").is_err());
        assert!(check(own, "vax").is_err());
    }
}
