//! Where the tool speaks: results on standard output, all else on standard error.

use std::fmt::Display;
#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cli::{Color, Global};
use crate::error::{Error, Refusal};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
pub(crate) const HEADING: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// What a command found: text for people, an object for programs.
pub(crate) trait Report: Serialize + Display {}
impl<T: Serialize + Display> Report for T {}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

/// How much is said, and in which form.
pub(crate) struct Terminal {
    loudness: Loudness,
    json: bool,
    color: Color,
    /// Whether a result was shown: programs are promised one object.
    shown: AtomicBool,
    /// Standard output as it was, once extensions print elsewhere.
    #[cfg(target_os = "linux")]
    results: OnceLock<File>,
}

static PROCESS: OnceLock<Terminal> = OnceLock::new();

impl Terminal {
    /// The terminal of this process, as its arguments want it.
    pub(crate) fn install(global: &Global) -> &'static Self {
        PROCESS.get_or_init(|| Self::new(global))
    }

    /// The terminal, for functions that the C ABI calls.
    pub(crate) fn of_process() -> Option<&'static Self> {
        PROCESS.get()
    }

    fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        let loudness = match (global.quiet, global.verbose) {
            (true, _) => Loudness::Quiet,
            (false, 0) => Loudness::Normal,
            (false, _) => Loudness::Verbose,
        };
        Self {
            loudness,
            json: global.json,
            color: global.color,
            shown: AtomicBool::new(false),
            #[cfg(target_os = "linux")]
            results: OnceLock::new(),
        }
    }

    /// Whether programs read the output.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether results and errors only are wanted.
    pub(crate) fn quiet(&self) -> bool {
        self.loudness == Loudness::Quiet
    }

    /// Whether more is wanted.
    pub(crate) fn verbose(&self) -> bool {
        self.loudness == Loudness::Verbose
    }

    /// The colour wish, as programs that this one runs take it.
    pub(crate) fn color(&self) -> &'static str {
        match self.color {
            Color::Auto => "auto",
            Color::Always => "always",
            Color::Never => "never",
        }
    }

    /// Whether a person looks at standard output.
    pub(crate) fn interactive(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Shows a command's result.
    pub(crate) fn show(&self, report: &impl Report) -> Result<(), Error> {
        if self.json { self.show_json(report) } else { print(format_args!("{report}")) }
    }

    /// Writes a result as one JSON object.
    pub(crate) fn show_json(&self, report: &impl Serialize) -> Result<(), Error> {
        self.shown.store(true, Ordering::Relaxed);
        let object = serde_json::to_string_pretty(report).map_err(io::Error::from);
        finish(object.and_then(|object| self.write_results(format!("{object}\n").as_bytes())))
    }

    /// Writes one of several results as a JSON object in a line of its own.
    pub(crate) fn show_line(&self, report: &impl Serialize) -> Result<(), Error> {
        self.shown.store(true, Ordering::Relaxed);
        let object = serde_json::to_string(report).map_err(io::Error::from);
        finish(object.and_then(|object| self.write_results(format!("{object}\n").as_bytes())))
    }

    fn write_results(&self, bytes: &[u8]) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if let Some(mut results) = self.results.get() {
            return results.write_all(bytes);
        }
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    }

    /// From here on whatever else this process prints goes to standard error.
    #[cfg(target_os = "linux")]
    pub(crate) fn keep_results_apart(&self) -> Result<(), Error> {
        let unavailable =
            |error: rustix::io::Errno| Error::Unavailable { what: "output", reason: error.to_string() };
        let results = rustix::io::dup(rustix::stdio::stdout()).map_err(unavailable)?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr()).map_err(unavailable)?;
        self.results.get_or_init(|| File::from(results));
        Ok(())
    }

    /// Says what is being done, as cargo does: a right-aligned verb, then the object.
    pub(crate) fn status(&self, verb: &str, object: impl Display) {
        if self.loudness >= Loudness::Normal {
            complain(format_args!("{GOOD}{verb:>12}{GOOD:#} {object}\n"));
        }
    }

    /// Says more about what was just said.
    pub(crate) fn note(&self, text: impl Display) {
        if self.loudness >= Loudness::Normal {
            complain(format_args!("{:13}{FAINT}{text}{FAINT:#}\n", ""));
        }
    }

    /// Says more than most want to know.
    pub(crate) fn detail(&self, verb: &str, object: impl Display) {
        if self.verbose() {
            self.status(verb, object);
        }
    }

    /// A bar over `steps` of `what`, seen only where standard error is a terminal.
    pub(crate) fn progress(&self, what: &'static str, steps: u64) -> ProgressBar {
        if self.loudness != Loudness::Normal || !io::stderr().is_terminal() {
            return ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::hidden());
        }
        let bar = ProgressBar::new(steps).with_prefix(what);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>12} [{bar:24}] {pos}/{len} {wide_msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }

    /// Says why the tool refuses, and what would mend it.
    pub(crate) fn refuse(&self, error: &Error) {
        if self.json && !self.shown.load(Ordering::Relaxed) {
            // Nothing can be done here about a closed standard output: the exit status still says it.
            let _ = self.show_json(&serde_json::json!({ "error": Refusal::of(error) }));
        }
        self.complain_of(error);
    }

    /// Says it to people only.
    pub(crate) fn complain_of(&self, error: &Error) {
        let Refusal { code, message, cure } = &Refusal::of(error);
        complain(format_args!("{BAD}error[{code}]{BAD:#}{HEADING}: {message}{HEADING:#}\n"));
        complain(format_args!("  {HINT}cure{HINT:#}: {cure}\n"));
    }
}

/// Writes text to standard output, without its colours where nobody would see them.
pub(crate) fn print(text: std::fmt::Arguments<'_>) -> Result<(), Error> {
    let mut out = anstream::stdout().lock();
    finish(out.write_fmt(text).and_then(|()| out.flush()))
}

/// A reader that has gone away has read enough: that is not a failure.
fn finish(written: io::Result<()>) -> Result<(), Error> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|reason| Error::Unwritable { path: "standard output".into(), reason }),
    }
}

fn complain(text: std::fmt::Arguments<'_>) {
    // Standard error is the last resort: when it is closed there is nobody left to tell.
    let _ = anstream::stderr().lock().write_fmt(text);
}
