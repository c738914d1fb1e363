//! What an extension asks of its host, with this program as the host: memory and a place for its log.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::Mutex;

use llext_sdk::{HostAllocator, log_to_host};

static LOGGED: Mutex<Vec<(u32, String)>> = Mutex::new(Vec::new());
static GIVEN_BACK: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

#[unsafe(no_mangle)]
unsafe extern "C" fn llext_log(level: u32, text: *const u8, len: usize) {
    // SAFETY: the caller's promise.
    let text = unsafe { std::slice::from_raw_parts(text, len) };
    LOGGED.lock().unwrap().push((level, String::from_utf8(text.to_vec()).unwrap()));
}

#[unsafe(no_mangle)]
extern "C" fn llext_alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: the caller's promise: more than no bytes.
    unsafe { std::alloc::alloc(Layout::from_size_align(size, align).unwrap()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn llext_dealloc(memory: *mut u8, size: usize, align: usize) {
    GIVEN_BACK.lock().unwrap().push((size, align));
    // SAFETY: the caller's promise: memory of `llext_alloc`, with this layout.
    unsafe { std::alloc::dealloc(memory, Layout::from_size_align(size, align).unwrap()) }
}

#[test]
fn records_reach_the_host_as_one_text_each_cut_off_at_256_bytes() {
    log_to_host(log::LevelFilter::Info);
    log::error!(target: "blinky", "light {} is {}", 3, "out");
    log::info!(target: "blinky", "ready");
    log::debug!(target: "blinky", "not forwarded");
    log::warn!(target: "blinky", "{}", "é".repeat(200));

    let logged = LOGGED.lock().unwrap();
    assert_eq!(logged[0], (1, "blinky: light 3 is out".into()));
    assert_eq!(logged[1], (3, "blinky: ready".into()));
    assert_eq!(logged[2], (2, format!("blinky: {}", "é".repeat(124))));
    assert_eq!(logged.len(), 3);
}

#[test]
fn memory_comes_from_the_host_and_goes_back_to_it() {
    let layout = Layout::from_size_align(100, 32).unwrap();
    // SAFETY: the memory is used within its bounds, and given back once with its layout.
    unsafe {
        let memory = HostAllocator.alloc(layout);
        assert_eq!(memory.addr() % 32, 0);
        memory.write_bytes(1, 100);
        HostAllocator.dealloc(memory, layout);
    }
    assert_eq!(*GIVEN_BACK.lock().unwrap(), [(100, 32)]);
}

/// The name that a host gives the device at this place, which is this program here.
#[unsafe(export_name = "__device_dts_cmBz0NdLJxdAQzBwNl526EiRBf7pjmmSMesWEZgI2zY")]
static UART0: u32 = 0x4000;

llext_sdk::device! {
    /// The console.
    static UART: u32 = "/soc/uart@4000";
}

#[test]
fn a_device_is_the_host_s_at_that_place() {
    assert_eq!((UART, &raw const UART), (0x4000, &raw const UART0));
}
