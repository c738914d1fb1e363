//! Symbol names as people wrote them.

/// A symbol's name demangled when Rust or C++ mangled it, with control characters escaped: names come from files.
pub(crate) fn demangle(name: &str) -> String {
    printable(&readable(name))
}

fn readable(name: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return format!("{name:#}");
    }
    match cpp_demangle::Symbol::new(name) {
        Ok(symbol) if name.starts_with("_Z") => symbol.demangle().unwrap_or_else(|_| name.to_owned()),
        _ => name.to_owned(),
    }
}

/// The text with every control character escaped, so that a file cannot move the terminal's cursor.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// The mangled name, and the readable one in brackets when it differs.
pub(crate) fn both(name: &str) -> String {
    let readable = demangle(name);
    if readable == name { readable } else { format!("{readable} ({})", printable(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_and_cpp_names_become_readable() {
        assert_eq!(demangle("_ZN4core9panicking5panic17h0123456789abcdefE"), "core::panicking::panic");
        assert_eq!(demangle("_RNvC6_123foo3bar"), "123foo::bar");
        assert_eq!(demangle("_ZN4draw4LineEii"), "draw::Line(int, int)");
        assert_eq!(demangle("printf"), "printf");
        assert_eq!(both("_ZN1aC1Ev"), "a::a() (_ZN1aC1Ev)");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(demangle("a\x1b[2J"), "a\\u{1b}[2J");
    }
}
