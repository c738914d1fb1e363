//! An extension that stays in flash, as far as it can.

use crate::demo::{Apps, check, in_use};
use crate::host::HOST;
use llext::source::{Source, Static};
use llext::{Error, Handle, Pool, RawMutex};
use semihosting::println;

/// What the compiler made of boards/extensions/lookup.c, where every section can be used as it lies.
static IN_FLASH: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("EXTENSIONS"), "/lookup.o")));

#[repr(align(16))]
struct Aligned<T: ?Sized>(T);

/// Loads it twice, and says what each way takes.
pub(crate) fn run<R: RawMutex>(apps: &Apps<R>) -> Result<(), Error> {
    let (copied, [_, parity, _]) = call(apps, &IN_FLASH.0)?;
    check("code that was copied, in flash", is_in_flash(parity), 0);
    let (kept, [square, parity, squares]) = call(apps, Static(&IN_FLASH.0))?;
    check("constants, in flash", is_in_flash(squares), 1);
    check("code without relocations, in flash", is_in_flash(parity), 1);
    check("code with relocations, in flash", is_in_flash(square), 0);
    println!("memory: {copied} bytes copied, {kept} in place; parity runs at {parity:#x}");
    check("bytes saved, at least the constants", u32::from(kept + 16 <= copied), 1);
    Ok(())
}

/// The bytes it takes, and where its functions and its constants lie.
fn call<R: RawMutex>(apps: &Apps<R>, source: impl Source) -> Result<(u32, [usize; 3]), Error> {
    let before = in_use(apps);
    // SAFETY: the file is what this board's compiler made of lookup.c, and the processor runs code from where it lies.
    let lookup = unsafe { apps.loader(&HOST).code_in_place(true).load("lookup", source)? };
    let taken = in_use(apps) - before;
    let square = function(&lookup, "square", 13, 169)?;
    function(&lookup, "odd_bits_of_square", 11, 1)?;
    let parity = function(&lookup, "parity", 7, 1)?;
    // SAFETY: that is its type there.
    let squares = unsafe { lookup.object::<[u8; 16]>("squares")? };
    let squares = (&raw const *squares).addr();
    lookup.unload().map_err(|refused| refused.error)?;
    Ok((taken, [square, parity, squares]))
}

/// Calls it; where it lies.
fn function<R: RawMutex>(
    lookup: &Handle<'_, Pool<'static>, R, 4>,
    name: &str,
    given: u32,
    expected: u32,
) -> Result<usize, Error> {
    // SAFETY: that is the type of both there.
    let function = unsafe { lookup.symbol::<extern "C" fn(u32) -> u32>(name)? };
    check(name, function.call((given,)), expected);
    // SAFETY: only its address is looked at.
    Ok(unsafe { function.as_fn() } as usize)
}

fn is_in_flash(address: usize) -> u32 {
    let file = IN_FLASH.0.as_ptr_range();
    u32::from((file.start.addr()..file.end.addr()).contains(&address))
}
