//! Counts the instructions of a load, of its longest step, of look-ups and of an unload, of a file in the folder the emulator runs in.
//!
//! They are the guest's, as the emulator counts them; what they take on silicon is another matter.

use crate::{Room, room};
use core::mem::{ManuallyDrop, MaybeUninit};
use core::panic::PanicInfo;
use core::str::from_utf8;
use core::task::Poll;
use llext::registry::Contents;
use llext::source::{ReadOnly, Static};
use llext::{Error, NoopRawMutex, Pool, Registry};
use semihosting::fs::File;
use semihosting::io::Read;
use semihosting::{println, process};

mod hosts {
    include!(concat!(env!("EXTENSIONS"), "/hosts.rs"));
}

type Function = extern "C" fn() -> i32;

static mut FILE: Room<{ 1024 * 1024 }> = room();

pub(crate) fn main(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    clock::start();
    match count(code, data) {
        Ok(()) => process::exit(0),
        Err(error) => {
            println!("E{:04}: {error}", error.code());
            process::exit(1)
        }
    }
}

fn count(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> Result<(), Error> {
    let bytes = read();
    let places = [&raw mut *code, &raw mut *data];
    let apps = Registry::<_, NoopRawMutex, 2>::new(Pool::new(code, data));
    let nothing = count_of(|| ()).1;
    // SAFETY: the file is what this board's compiler made of a workload; it calls the functions in `hosts`.
    let (extension, load) = count_of(|| unsafe { apps.loader(&hosts::HOST).load("counted", Static(bytes)) });
    let extension = extension?;
    let names = || extension.exports().filter_map(|(name, _)| from_utf8(name).ok());
    let walk = count_of(|| names().map(str::len).sum::<usize>()).1;
    // SAFETY: that is the type of all of them.
    let look = |name: &str| unsafe { extension.symbol::<Function>(name) }.is_ok();
    let (found, looked) = count_of(|| names().filter(|name| look(name)).count());
    // SAFETY: as above.
    let value = unsafe { extension.symbol::<Function>("ext_main")? }.call(());
    let (unloaded, unload) = count_of(|| extension.unload().map_err(|refused| refused.error));
    unloaded?;
    let longest = longest_step(&apps, bytes)? - nothing;
    drop(apps);
    let [copied, save, restore] = count_kept(places, bytes, value)?.map(|count| count - nothing);
    let (load, find, unload) = (load - nothing, looked - walk, unload - nothing);
    println!("load {load} longest {longest} find {find} found {found} unload {unload} value {value}");
    println!("copied {copied} save {save} restore {restore}");
    Ok(())
}

/// What it takes to load the file where all of it is copied, to save that, and to restore it.
fn count_kept(places: [*mut [MaybeUninit<u8>]; 2], bytes: &[u8], value: i32) -> Result<[u64; 3], Error> {
    let [code, data] = places;
    let registry = || {
        // SAFETY: the registry that had the memory before is lost, and nothing of it is used again.
        let pool = unsafe { Pool::new(&mut *code, &mut *data) };
        ManuallyDrop::new(Registry::<_, NoopRawMutex, 2>::new(pool))
    };
    let (apps, mut saved) = (registry(), [0; 1024]);
    // SAFETY: as for the first load.
    let (loaded, load) = count_of(|| unsafe { apps.loader(&hosts::HOST).load("counted", bytes) });
    core::mem::forget(loaded?);
    // SAFETY: nothing else runs, and it was loaded with these exports.
    let (len, save) = count_of(|| unsafe { apps.loader(&hosts::HOST).save(Contents::Constant, &mut saved) });
    len?;

    let (apps, mut kept) = (registry(), None);
    let (restored, restore) = count_of(|| {
        // SAFETY: the memory is as it was, and nothing else runs.
        unsafe { apps.loader(&hosts::HOST).restore(&saved, |handle| kept = Some(handle)) }
    });
    restored?;
    let extension = kept.ok_or(Error::Died)?;
    // SAFETY: that is its type.
    let again = unsafe { extension.symbol::<Function>("ext_main")? }.call(());
    if again != value {
        crate::fault(0) // what was restored does not do what it did
    }
    Ok([load, save, restore])
}

/// The instructions of the longest step of a load that is read, as from a slow medium, and goes forward by 64 units of work.
fn longest_step(apps: &Registry<Pool<'_>, NoopRawMutex, 2>, bytes: &[u8]) -> Result<u64, Error> {
    // SAFETY: as above.
    let mut load = unsafe { apps.loader(&hosts::HOST).start("stepped", ReadOnly(bytes))? };
    let mut longest = 0;
    loop {
        let (step, count) = count_of(|| load.step(64));
        longest = count.max(longest);
        if let Poll::Ready(loaded) = step {
            return loaded.map(|_| longest);
        }
    }
}

/// The instructions that `f` takes, and a few.
fn count_of<T>(f: impl FnOnce() -> T) -> (T, u64) {
    let before = clock::now();
    let result = f();
    (result, clock::since(before))
}

/// All of the file.
fn read() -> &'static [u8] {
    // SAFETY: this runs once, and nothing else names the static, which any byte may stand in.
    let buffer: &'static mut [u8] = unsafe {
        (&raw mut FILE).write_bytes(0, 1);
        &mut *(&raw mut FILE).cast::<[u8; 1024 * 1024]>()
    };
    let mut len = 0;
    let Ok(mut file) = File::open(c"workload.o") else { crate::fault(0) };
    while let Ok(more @ 1..) = file.read(&mut buffer[len..]) {
        len += more;
    }
    &buffer[..len]
}

/// The system timer, which the emulator is told to advance by 16 every 10 instructions.
#[cfg(target_arch = "arm")]
mod clock {
    const CONTROL: *mut u32 = 0xe000_e010 as *mut u32;
    const RELOAD: *mut u32 = 0xe000_e014 as *mut u32;
    const CURRENT: *mut u32 = 0xe000_e018 as *mut u32;
    /// It counts down, and has 24 bits.
    const MOST: u32 = 0xff_ffff;

    pub(super) fn start() {
        // SAFETY: nobody else uses the timer.
        unsafe {
            RELOAD.write_volatile(MOST);
            CURRENT.write_volatile(0);
            CONTROL.write_volatile(1 << 2 | 1);
        }
    }

    pub(super) fn now() -> u32 {
        // SAFETY: reading tells whether it ran out, and nothing else.
        unsafe {
            CONTROL.read_volatile();
            CURRENT.read_volatile()
        }
    }

    pub(super) fn since(before: u32) -> u64 {
        // SAFETY: as above.
        let (now, control) = unsafe { (CURRENT.read_volatile(), CONTROL.read_volatile()) };
        if control & 1 << 16 != 0 && now <= before {
            crate::fault(0); // it went round, and there is no telling how often
        }
        u64::from(before.wrapping_sub(now) & MOST) * 10 / 16
    }
}

#[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
mod clock {
    pub(super) fn start() {}

    pub(super) fn now() -> usize {
        let count;
        // SAFETY: reading changes nothing.
        unsafe { core::arch::asm!("csrr {}, minstret", out(reg) count) };
        count
    }

    pub(super) fn since(before: usize) -> u64 {
        now().wrapping_sub(before) as u64
    }
}

/// What a board's handler of faults ends with.
pub fn fault(at: usize) -> ! {
    println!("fault at {at:#x}");
    process::exit(1)
}

pub(crate) fn panic(info: &PanicInfo) -> ! {
    println!("{info}");
    process::exit(1)
}
