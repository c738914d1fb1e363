//! How long files may be.

use crate::files::File;

/// What a person reads in one sitting.
const LINES: usize = 500;
/// Two pages.
const DESIGN: usize = 120;

pub(crate) fn lines(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter_map(|file| Some((file, file.text.lines().count(), limit(file)?)))
        .filter(|(_, lines, limit)| lines > limit)
        .map(|(file, lines, limit)| format!("{}: {lines} lines, more than {limit}", file.path))
        .collect()
}

fn limit(file: &File) -> Option<usize> {
    match file.path.as_str() {
        "DESIGN.md" => Some(DESIGN),
        _ => file.is_rust().then_some(LINES),
    }
}

#[test]
fn a_long_file_is_found() {
    let file = |path, lines| File::planted(path, &"\n".repeat(lines));
    let files = [file("a.rs", 500), file("b.rs", 501), file("Cargo.lock", 900), file("DESIGN.md", 121)];
    assert_eq!(lines(&files), ["b.rs: 501 lines, more than 500", "DESIGN.md: 121 lines, more than 120"]);
}
