//! The panic handler: where it happened goes to the host, which stops whatever called.
//!
//! The message is not formatted: that would be most of the code of a small extension.

use core::panic::PanicInfo;

unsafe extern "C" {
    /// Tells the host that the extension to which `context` belongs panicked in line `line` of the file named by the
    /// `file_len` bytes at `file`.
    fn llext_panic(file: *const u8, file_len: usize, context: *const u8, line: u32) -> !;

    /// An address that belongs to this extension alone.
    static __dso_handle: u8;
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("", 0), |place| (place.file(), place.line()));
    // SAFETY: the host reads `file_len` bytes at `file`, and `context` as a mere address.
    unsafe { llext_panic(file.as_ptr(), file.len(), &raw const __dso_handle, line) }
}
