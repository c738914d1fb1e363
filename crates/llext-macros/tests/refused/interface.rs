use llext_macros::interface;

interface! { pub trait Abi; extern "C" fn led_set(); }
interface! { pub trait Variadic; unsafe fn printf(format: *const u8, ...); }
interface! { pub trait Method; fn led_set(&self); }
interface! { pub trait Generic; fn led_set<T>(n: *const T); }
interface! { pub trait Later; async fn led_set(); }
interface! { pub trait Mutable; static mut TICKS: u32; }
interface! { pub trait Twice; fn led_set(); fn led_set(); }
interface! { pub trait Clash; fn bA(); fn ab(); }
interface! { pub trait Body; fn led_set() {} }
interface! { fn led_set(); }

fn main() {}
