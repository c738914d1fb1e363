//! Errors: each is explained, and met by some test.

use crate::code::{line, words};
use crate::files::File;

/// The tables of errors, in which a row begins with its number and its name.
const TABLES: [&str; 2] = ["crates/llext-link/src/error.rs", "crates/llext/src/error.rs"];

pub(crate) fn documented(files: &[File]) -> Vec<String> {
    let bare = |file: &File| -> Vec<String> {
        let rows = rows(&file.text).into_iter().filter(|row| !row.documented);
        rows.map(|row| format!("{}:{}: `{}` has no documentation", file.path, row.line, row.name)).collect()
    };
    tables(files).flat_map(bare).chain(tables(files).filter_map(without_rows)).collect()
}

/// An error counts as met where a test names it: in a test file, in the tests inside a file, or in a directive.
pub(crate) fn tested(files: &[File]) -> Vec<String> {
    let tests: Vec<&str> = files.iter().filter_map(tests_of).collect();
    let met = |name: &str| tests.iter().any(|text| words(text, name).next().is_some());
    let unmet = |file: &File| -> Vec<String> {
        let rows = rows(&file.text).into_iter().filter(|row| !met(row.name));
        rows.map(|row| format!("{}:{}: no test meets `{}`", file.path, row.line, row.name)).collect()
    };
    tables(files).flat_map(unmet).collect()
}

struct Row<'a> {
    name: &'a str,
    line: usize,
    documented: bool,
}

fn tables(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| TABLES.contains(&file.path.as_str()))
}

/// A table written in another way would pass unread.
fn without_rows(file: &File) -> Option<String> {
    rows(&file.text).is_empty().then(|| format!("{}: no row of errors was recognised", file.path))
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut before = "";
    let mut rows = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(name) = row_name(line) {
            rows.push(Row { name, line: number + 1, documented: before.starts_with("///") });
        }
        before = line;
    }
    rows
}

/// The name in a line like `100 NotElf {`.
fn row_name(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(' ')?;
    let number: u16 = number.parse().ok()?;
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    ((100..900).contains(&number) && name.starts_with(|c: char| c.is_ascii_uppercase())).then_some(name)
}

fn tests_of(file: &File) -> Option<&str> {
    let path = file.path.as_str();
    if path.starts_with("extensions/") || path.contains("/tests/") && !path.starts_with("xtask/") {
        return Some(&file.text);
    }
    let start = file.is_rust().then(|| file.text.find("#[cfg(test)]"))??;
    Some(&file.text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "error_table! {\npub enum Error {\n    /// Says why.\n    100 NotElf { found: u8 } => \"\";\n    101 Truncated => \"\";\n} }";

    fn with(path: &str, text: &str) -> [File; 2] {
        [File::planted(TABLES[0], TABLE), File::planted(path, text)]
    }

    #[test]
    fn an_undocumented_error_is_found() {
        let found = documented(&with("a", ""));
        assert_eq!(found, [format!("{}:5: `Truncated` has no documentation", TABLES[0])]);
    }

    #[test]
    fn a_table_that_cannot_be_read_is_found() {
        assert_eq!(documented(&[File::planted(TABLES[1], "pub enum Error { A }")]).len(), 1);
    }

    #[test]
    fn an_error_no_test_meets_is_found() {
        let found = tested(&with("crates/llext-link/tests/bad.rs", "Error::Truncated; NotElfAtAll"));
        assert_eq!(found, [format!("{}:4: no test meets `NotElf`", TABLES[0])]);
        assert_eq!(tested(&with("crates/llext/src/image.rs", "Error::NotElf; Error::Truncated")).len(), 2);
    }

    #[test]
    fn tests_in_files_and_directives_count() {
        let inside = "fn f() {}\n#[cfg(test)]\nmod tests { fn t() { NotElf; Truncated } }";
        assert!(tested(&with("crates/llext/src/image.rs", inside)).is_empty());
        assert!(tested(&with("extensions/bad.c", "//! error: NotElf\n//! error: Truncated")).is_empty());
    }

    #[test]
    fn rows_are_told_from_other_lines() {
        assert_eq!(line("a\nb", 2), 2);
        assert_eq!(row_name("100 NotElf {"), Some("NotElf"));
        assert_eq!(row_name("100 => \"x\""), None);
        assert_eq!(row_name("let code = 100;"), None);
    }
}
