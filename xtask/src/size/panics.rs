//! Nothing that an extension's file holds can make the loader panic: no function from which there is no return but the
//! panic handler's can be reached from a load. See [`Graph`] for what counts as reached.

use super::graph::Graph;
use crate::error::{Result, bail};

/// What loads, finds, calls and unloads in the firmware that is measured.
const LOADER: &str = "common::footprint::something::Work::call";

/// What prints in the firmware that says what it does: printing can panic.
const PRINTS: &str = "common::demo::check";

/// How loading gets to a panic in the firmware that is measured.
pub(super) fn of_loader(firmware: &[u8]) -> Result<Vec<String>> {
    Graph::read(firmware)?.ways(LOADER, is_panic)
}

/// Fails if there is a way.
pub(super) fn check(ways: &[String]) -> Result<()> {
    if !ways.is_empty() {
        bail!("the loader can panic:\n{}", ways.join("\n"));
    }
    Ok(())
}

/// Fails unless the way to a panic is found in a firmware that has one: else nothing is said by finding none.
pub(super) fn check_demo(firmware: &[u8]) -> Result<()> {
    if Graph::read(firmware)?.ways(PRINTS, is_panic)?.is_empty() {
        bail!("printing can panic, and no way to that was found");
    }
    Ok(())
}

fn is_panic(name: &str) -> bool {
    name.starts_with("core::panicking::") || name.ends_with("rust_begin_unwind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_told_by_their_names() {
        for name in ["core::panicking::panic_const::panic_const_div_by_zero", "__rustc::rust_begin_unwind"] {
            assert!(is_panic(name), "{name}");
        }
        assert!(!is_panic("llext::lifecycle::provided::llext_panic"));
    }

    #[test]
    fn a_loader_that_panics_fails() {
        assert!(check(&[]).is_ok());
        assert!(check(&["load\n  -> core::panicking::panic".to_owned()]).is_err());
    }
}
