//! An extension that outlives a reset of the board: it is saved, and live again without being loaded.

use crate::demo::check;
use crate::host::{HOST, LEDS};
use crate::{IN_C, Room, room};
use core::mem::MaybeUninit;
use core::sync::atomic::Ordering;
use llext::registry::Contents;
use llext::{Error, Handle, NoopRawMutex, Pool, Registry};
use semihosting::println;

const ROOM: usize = 8 << 10;

/// Memory that a reset leaves as it is: for a pool, and for what is saved of it.
pub struct Retained {
    code: Room<ROOM>,
    data: Room<ROOM>,
    saved: MaybeUninit<[u8; 1024]>,
}

impl Retained {
    /// With nothing in it.
    pub const EMPTY: Self = Self { code: room(), data: room(), saved: MaybeUninit::uninit() };
}

type Kept<'r> = Handle<'r, Pool<'static>, NoopRawMutex, 2>;

/// Loads an extension, saves it and resets the board; when it starts again, goes on with it.
///
/// # Safety
/// The memory was written by nobody else since power came; that is 0, or what this function left.
pub unsafe fn run(retained: &'static mut Retained, reset: fn() -> !) -> Result<(), Error> {
    let Retained { code, data, saved } = core::hint::black_box(retained);
    // SAFETY: the memory holds something, whatever it is.
    let saved = unsafe { saved.assume_init_mut() };
    let apps = Registry::<_, NoopRawMutex, 2>::new(Pool::new(code, data));
    let mut kept = None;
    // SAFETY: what was saved was saved by this program, and nothing else uses the registry.
    match unsafe { apps.loader(&HOST).restore(saved, |handle| kept = Some(handle)) } {
        Ok(_) => {}
        Err(Error::BadSaved { what: "beginning", .. }) => {
            // SAFETY: the file is what this board's compiler made of blink.c.
            let blink = unsafe { apps.loader(&HOST).load("blink", IN_C)? };
            check("blink before the reset", call(&blink)?, 10);
            // SAFETY: nothing else runs, and it was loaded with these exports.
            let len = unsafe { apps.loader(&HOST).save(Contents::All, saved)? };
            println!("saved in {len} bytes");
            reset()
        }
        Err(error) => return Err(error),
    }
    saved.fill(0);
    let blink = kept.ok_or(Error::Died)?;
    check("blink after the reset", call(&blink)?, 20);
    blink.unload().map_err(|refused| refused.error)?;
    LEDS.store(0, Ordering::Relaxed);
    // SAFETY: the closure uses nothing but the pool.
    check("retained memory in use", unsafe { apps.with_memory(|pool| pool.in_use() as u32) }, 0);
    Ok(())
}

fn call(blink: &Kept<'_>) -> Result<u32, Error> {
    // SAFETY: that is the function's type there.
    Ok(unsafe { blink.symbol::<extern "C" fn(u32) -> u32>("blink")? }.call((0,)))
}
