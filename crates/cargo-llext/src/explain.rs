//! `llext explain CODE`: what an error code means and what mends it.

use std::fmt;

use llext_link::error::Explanation;
use serde::Serialize;

use crate::cli::Explain;
use crate::error::{Code, Error};
use crate::terminal::{HEADING, HINT};

/// One code's row.
#[derive(Serialize)]
pub(crate) struct Answer {
    code: String,
    name: &'static str,
    meaning: &'static str,
    cure: &'static str,
}

pub(crate) fn run(arguments: &Explain) -> Result<Answer, Error> {
    let unknown = || Error::UnknownCode { code: arguments.code.clone() };
    let digits = arguments.code.trim_start_matches(['E', 'e']);
    let code: u16 = digits.parse().map_err(|_| unknown())?;
    let row = every_code().find(|row| row.code == code).ok_or_else(unknown)?;
    Ok(Answer { code: Code(code).to_string(), name: row.name, meaning: row.meaning.trim(), cure: row.cure })
}

fn every_code() -> impl Iterator<Item = &'static Explanation> {
    llext_link::Error::ALL.iter().chain(llext::Error::ALL).chain(Error::ALL)
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADING}{} {}{HEADING:#}", self.code, self.name)?;
        writeln!(f, "  {}", self.meaning)?;
        writeln!(f, "  {HINT}cure{HINT:#}: {}", self.cure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_used_twice() {
        let mut codes: Vec<_> = every_code().map(|row| row.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
