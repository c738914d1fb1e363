//! What was measured: a table for people, one JSON object for programs.

use std::fmt::Write as _;

use super::Findings;
use super::firmware::Sizes;

/// How many functions are shown.
const LARGEST: usize = 12;

pub(super) fn table(findings: &[Findings]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{:<14} {:>8} {:>8} {:>8} {:>8} {:>8} {:>12} {:>12}",
        "target", "text", "rodata", "data", "bss", "stack", "loader_text", "without .so"
    );
    for found in findings {
        let Sizes { text: code, rodata, data, bss } = found.full;
        let (target, stack, loader) = (found.target, found.stack, found.loader_text());
        let objects = found.loader_text_of_objects().map_or_else(|| "-".to_owned(), |size| size.to_string());
        let _ = writeln!(
            text,
            "{target:<14} {code:>8} {rodata:>8} {data:>8} {bss:>8} {stack:>8} {loader:>12} {objects:>12}"
        );
    }
    for found in findings {
        let _ = writeln!(text, "\nlargest functions of {}:", found.target);
        for function in found.functions.iter().take(LARGEST) {
            let _ = writeln!(text, "{:>8} {}", function.size, function.name);
        }
    }
    text
}

pub(super) fn json(findings: &[Findings]) -> String {
    let targets = findings.iter().map(|found| {
        let Sizes { text, rodata, data, bss } = found.full;
        let (target, loader, stack) = (found.target, found.loader_text(), found.stack);
        let objects = found.loader_text_of_objects().map(|size| format!("\"loader_text_without_shared\": {size}, "));
        let objects = objects.unwrap_or_default();
        format!(
            "\"{target}\": {{\"loader_text\": {loader}, {objects}\"text\": {text}, \"rodata\": {rodata}, \"data\": {data}, \
             \"bss\": {bss}, \"stack\": {stack}}}"
        )
    });
    format!("{{{}}}", targets.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_one_object() {
        let full = Sizes { text: 9, rodata: 2, data: 3, bss: 4 };
        let empty = Sizes { text: 1, ..Sizes::default() };
        let objects = Some(Sizes { text: 7, ..Sizes::default() });
        let (functions, panics) = (Vec::new(), Vec::new());
        let found = Findings { target: "thumbv7m", empty, full, objects, stack: 5, functions, panics };
        assert_eq!(
            json(&[found]),
            r#"{"thumbv7m": {"loader_text": 10, "loader_text_without_shared": 6, "text": 9, "rodata": 2, "data": 3, "bss": 4, "stack": 5}}"#
        );
    }
}
