//! Symbol names as people wrote them.

use std::fmt;

use cpp_demangle::{DemangleOptions, DemangleWrite};

/// A symbol's name demangled when Rust or C++ mangled it, with control characters escaped: names come from files.
pub(crate) fn demangle(name: &str) -> String {
    printable(&readable(name))
}

fn readable(name: &str) -> String {
    if let Ok(name) = rustc_demangle::try_demangle(name) {
        return format!("{name:#}");
    }
    let symbol = cpp_demangle::Symbol::new(name).ok().filter(|_| name.starts_with("_Z"));
    let mut text = Bounded(String::new());
    match symbol.map(|symbol| symbol.structured_demangle(&mut text, &DemangleOptions::default())) {
        Some(Ok(())) => text.0,
        _ => name.to_owned(),
    }
}

/// Text that does not grow without end: a short mangled name can stand for gigabytes.
struct Bounded(String);

impl DemangleWrite for Bounded {
    fn write_string(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > 4096 {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
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

    /// f(p<a, a>, p<p<a, a>, p<a, a>>, ...): each argument stands for twice the one before.
    #[test]
    fn a_name_that_stands_for_too_much_stays_as_it_is() {
        let twice = |level: u32| format!("S_IS{}_S{}_E", base_36(level), base_36(level));
        let name = |levels| format!("_Z1f1pI1aS0_E{}", (1..levels).map(twice).collect::<String>());
        assert_eq!(demangle(&name(2)), "f(p<a, a>, p<p<a, a>, p<a, a> >)");
        assert_eq!(demangle(&name(40)), name(40));
    }

    fn base_36(number: u32) -> String {
        let digit = |digit| char::from_digit(digit, 36).unwrap().to_ascii_uppercase();
        if number < 36 {
            digit(number).into()
        } else {
            format!("{}{}", digit(number / 36), digit(number % 36))
        }
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(demangle("a\x1b[2J"), "a\\u{1b}[2J");
    }
}
