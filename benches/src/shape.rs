//! What the workloads consist of, and their C sources.

use super::names::host_function;
use std::fmt::Write as _;

/// What a workload consists of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// One letter.
    pub name: &'static str,
    /// What its files are called.
    pub file: &'static str,
    /// Exported functions, `ext_main` apart.
    pub functions: usize,
    /// Calls to host functions in each.
    pub calls: usize,
    /// Distinct host functions called.
    pub hosts: usize,
}

/// All four, smallest first.
pub const SHAPES: [Shape; 4] = [
    Shape { name: "a", file: "a_hello", functions: 1, calls: 1, hosts: 1 },
    Shape { name: "b", file: "b_100f_1kr", functions: 100, calls: 10, hosts: 100 },
    Shape { name: "c", file: "c_1kf_10kr", functions: 1_000, calls: 10, hosts: 1_000 },
    Shape { name: "d", file: "d_5kf_100kr", functions: 5_000, calls: 20, hosts: 5_000 },
];

impl Shape {
    /// What the exported function `function` returns: the sum of what it calls.
    pub fn value(&self, function: usize) -> i32 {
        let first = function * self.calls;
        (first..first + self.calls).map(|call| (call % self.hosts) as i32).sum()
    }

    /// What `ext_main` returns: its first and its last function's value.
    pub fn main_value(&self) -> i32 {
        self.value(0) + self.value(self.functions - 1)
    }

    /// The names of its exports, `ext_main` last.
    pub fn exports(&self) -> impl Iterator<Item = String> {
        (0..self.functions).map(function_name).chain(["ext_main".to_owned()])
    }

    /// Its source.
    pub fn source(&self) -> String {
        let mut text = String::from(EXPORT_MACRO);
        for host in 0..self.hosts {
            line(&mut text, format_args!("extern int {}(void);", host_function(host)));
        }
        for function in 0..self.functions {
            let first = function * self.calls;
            let calls: Vec<_> = (first..first + self.calls)
                .map(|call| format!("{}()", host_function(call % self.hosts)))
                .collect();
            let name = function_name(function);
            line(&mut text, format_args!("int {name}(void) {{ return {}; }}", calls.join(" + ")));
            line(&mut text, format_args!("EXPORT({name});"));
        }
        let (first, last) = (function_name(0), function_name(self.functions - 1));
        line(&mut text, format_args!("int ext_main(void) {{ return {first}() + {last}(); }}"));
        line(&mut text, format_args!("EXPORT(ext_main);"));
        text
    }
}

/// An entry {name, address} in `.exported_sym`, as LLEXT's extensions have them.
const EXPORT_MACRO: &str = "\
struct entry { const char *const name; const void *const address; };
#define EXPORT(f) static const struct entry __attribute__((section(\".exported_sym\"), used)) __symbol_##f \\
    = { #f, (const void *)&f }
";

fn function_name(function: usize) -> String {
    format!("ext_fn_{function:05}")
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_from_the_numbers_in_the_names() {
        let values: Vec<_> = SHAPES.iter().map(Shape::main_value).collect();
        assert_eq!(values, [0, 990, 9_990, 99_980]);
    }
}
