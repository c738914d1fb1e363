//! Records of the `log` crate, forwarded to the host as one piece of text each.

use core::fmt::{self, Write};

use log::{LevelFilter, Log, Metadata, Record};

unsafe extern "C" {
    /// Gives the host `len` bytes of UTF-8 at `text`. Level 1 is an error, 2 a warning, 3 information, 4 debugging, 5 tracing.
    fn llext_log(level: u32, text: *const u8, len: usize);
}

/// Bytes of a text that reach the host. A longer one is cut off.
const LONGEST: usize = 256;

/// Forwards records of `level` and more urgent ones to the host's `llext_log`, as `target: message` of up to 256 bytes.
///
/// To be called first of all, in the [`init`](macro@crate::init) function: it has no effect where a logger is set already.
///
/// ```no_run
/// #[llext_sdk::init]
/// fn init() {
///     llext_sdk::log_to_host(log::LevelFilter::Info);
///     log::info!("ready");
/// }
/// ```
pub fn log_to_host(level: LevelFilter) {
    static LOGGER: HostLogger = HostLogger;
    #[cfg(target_has_atomic = "ptr")]
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(level);
    }
    #[cfg(not(target_has_atomic = "ptr"))]
    // SAFETY: nothing else of the extension runs while its `init` function does.
    unsafe {
        if log::set_logger_racy(&LOGGER).is_ok() {
            log::set_max_level_racy(level);
        }
    }
}

struct HostLogger;

impl Log for HostLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut text = Text { bytes: [0; LONGEST], len: 0 };
        // An error says that the text was cut off, or that a value would not be formatted: what there is goes to the host.
        let _ = text.write_str(record.target()).and_then(|()| write!(text, ": {}", record.args()));
        // SAFETY: the host reads `len` bytes of the text.
        unsafe { llext_log(record.level() as u32, text.bytes.as_ptr(), text.len) }
    }

    fn flush(&self) {}
}

/// A text that ends, at a character's boundary, where its memory does.
struct Text {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = LONGEST - self.len;
        let fits = (0..=room.min(more.len())).rev().find(|end| more.is_char_boundary(*end)).unwrap_or(0);
        self.bytes[self.len..self.len + fits].copy_from_slice(&more.as_bytes()[..fits]);
        self.len += fits;
        if fits == more.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
