//! What this process offers to extensions besides its C library: what the SDK's features `alloc` and `log` ask for.

use std::alloc::Layout;

use crate::demangle::printable;
use crate::terminal::Terminal;

llext::exports! {
    /// The tool's own symbols.
    pub(super) static TOOL;
    fn llext_log(level: u32, text: *const u8, len: usize);
    fn llext_alloc(size: usize, align: usize) -> *mut u8;
    fn llext_dealloc(memory: *mut u8, size: usize, align: usize);
}

/// One record of an extension's log: level 1 is an error, 5 a trace.
extern "C" fn llext_log(level: u32, text: *const u8, len: usize) {
    // SAFETY: the extension gives the text and its length.
    let text = unsafe { std::slice::from_raw_parts(text, len) };
    let level =
        ["Error", "Warning", "Info", "Debug", "Trace"].get(level.wrapping_sub(1) as usize).unwrap_or(&"Log");
    if let Some(terminal) = Terminal::of_process() {
        terminal.status(level, printable(&String::from_utf8_lossy(text)));
    }
}

/// `size` bytes at a multiple of `align`, or null.
extern "C" fn llext_alloc(size: usize, align: usize) -> *mut u8 {
    match Layout::from_size_align(size, align) {
        // SAFETY: the layout is not empty.
        Ok(layout) if size > 0 => unsafe { std::alloc::alloc(layout) },
        _ => std::ptr::null_mut(),
    }
}

/// Gives back what `llext_alloc` gave.
extern "C" fn llext_dealloc(memory: *mut u8, size: usize, align: usize) {
    if let (false, Ok(layout)) = (memory.is_null(), Layout::from_size_align(size, align)) {
        // SAFETY: the extension gives back what it got, with the same size and alignment.
        unsafe { std::alloc::dealloc(memory, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_and_taken_back() {
        let memory = llext_alloc(24, 64);
        assert!(!memory.is_null() && memory.addr().is_multiple_of(64));
        llext_dealloc(memory, 24, 64);
        assert!(llext_alloc(8, 3).is_null() && llext_alloc(0, 8).is_null());
    }
}
