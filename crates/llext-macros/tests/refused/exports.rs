use llext_macros::exports;

exports! { crate; static TWICE; fn led_set(n: u8); fn led_clear(); fn led_set(n: u8); }
exports! { crate; static CLASH; fn bA(); static ab: u8; }
exports! { crate; static KIND; const N: u8; }
exports! { crate; static ABI; extern "C" fn led_set(); }
exports! { crate; static NO_TYPE; static TICKS; }
exports! { crate; static NO_INTERFACE = Firmware; }
exports! { crate; static OTHER: ExportTable; }

fn main() {}
