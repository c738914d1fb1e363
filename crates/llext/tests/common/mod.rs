//! Compiles small C sources for the tests of this crate, and loads them.

mod cc;

pub(crate) use cc::compile;
use llext::{Error, Host, Load, Plugin, Source};

/// Loads what [`compile`] made.
pub(crate) fn load<'h>(host: &'h Host, name: &str, source: impl Source) -> Result<Plugin<'h>, Error> {
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.load(name, source) }
}

/// Begins to load what [`compile`] made: from whatever source, so that a program of tests has one load.
pub(crate) fn start<'h, 'l>(
    host: &'h Host,
    name: &'l str,
    source: &'l mut dyn Source,
) -> Load<'h, 'l, llext::memory::Linux, llext::lock::StdRawMutex, { llext::host::CAPACITY }, &'l mut dyn Source>
where
    'h: 'l,
{
    // SAFETY: the sources of these tests are in these tests.
    unsafe { host.loader().start(name, source) }.unwrap()
}

/// Calls `int probe(void)`.
pub(crate) fn probe(plugin: &Plugin<'_>) -> i32 {
    // SAFETY: every `probe` of these tests has this type.
    unsafe { plugin.symbol::<extern "C" fn() -> i32>("probe") }.unwrap().call(())
}
