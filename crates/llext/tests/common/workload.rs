//! Extensions as the benchmark's workloads: as many functions as wanted, each exported and of ten calls.

use llext::export::{Exports, SymbolName};
use std::fmt::Write as _;

/// Absolute addresses everywhere: the object may lie any distance from its host.
pub(crate) const FLAGS: &[&str] =
    &["-O1", "-ffreestanding", "-fno-pic", "-fno-asynchronous-unwind-tables", "-mcmodel=large"];

/// Provides whatever is asked for; nothing of it is called.
pub(crate) struct Anything;

impl Exports for Anything {
    fn address(&self, _: &SymbolName<'_>) -> Option<usize> {
        Some(0x1234_5678)
    }
}

/// `functions` exported functions of ten calls each, exported as LLEXT's extensions do.
pub(crate) fn source(functions: usize) -> String {
    let mut text = String::from(
        "struct entry { const char *const name; const void *const address; };
        #define EXPORT(f) static const struct entry __attribute__((section(\".exported_sym\"), used)) \
        entry_##f = { #f, (const void *)&f };\n",
    );
    for function in 0..functions {
        let calls: Vec<_> = (0..10).map(|call| format!("host_{}()", (function * 10 + call) % 100)).collect();
        calls.iter().for_each(|call| writeln!(text, "int {call};").unwrap());
        writeln!(text, "int ext_fn_{function:05}(void) {{ return {}; }}", calls.join(" + ")).unwrap();
        writeln!(text, "EXPORT(ext_fn_{function:05})").unwrap();
    }
    text
}
