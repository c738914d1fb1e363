//! The firmware that does what a script says, and prints what happens: loads, calls and unloads of any number of
//! extensions in one run. Whether that was right is for the computer to say.
//!
//! The script is a file called `script`. Each of its lines is a command; `xtask/src/matrix` writes them.

mod far;
mod host;
mod script;
mod slots;

use crate::computer::{File, exit, println};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use llext::{Error, NoopRawMutex, Pool, Registry};
use script::{Command, Script};
use slots::Slots;

type Apps = Registry<Pool<'static>, NoopRawMutex, 4>;

pub(crate) fn main(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    let Some(file) = File::open(c"script") else {
        println!("there is no script");
        exit(2)
    };
    far::prepare(code.as_ptr().addr());
    let mut script = Script::new(file);
    let unified = matches!(script.next(), Some(Command::Pool { unified: true }));
    let pool = if unified { Pool::unified(data) } else { Pool::new(code, data) };
    let apps = Apps::new(pool);
    // SAFETY: this function never returns, so its variables stay for ever.
    let apps: &'static Apps = unsafe { &*(&raw const apps) };
    let mut slots = Slots::new(apps);
    while let Some(command) = script.next() {
        if let Err(error) = obey(&mut slots, apps, command) {
            println!("! {} {}", error.code(), error.name());
        }
    }
    println!("done");
    exit(0)
}

/// Ends with one line of result, after what the extension had to say.
fn obey(slots: &mut Slots, apps: &'static Apps, command: Command<'_>) -> Result<(), Error> {
    match command {
        Command::Case(name) => {
            *slots = Slots::new(apps);
            println!("case {name}");
        }
        Command::Load(what) => {
            slots.load(what)?;
            println!("= loaded");
        }
        Command::Call { slot, name, arguments } => println!("= {}", slots.call(slot, name, arguments)?),
        Command::Object { slot, name } => println!("= {}", slots.read(slot, name)?),
        Command::Store { slot, name, value } => {
            slots.write(slot, name, value)?;
            println!("= stored");
        }
        Command::Align { slot, name, bytes } => println!("= {}", slots.address(slot, name)? % bytes),
        Command::Find { slot, name } => println!("= {}", slots.has(slot, name)?),
        Command::Unload { slot } => println!("= {} uses", slots.unload(slot)?),
        Command::Cycle { count, what } => {
            slots.cycle(count, what)?;
            println!("= {count} cycles");
        }
        Command::Memory => {
            // SAFETY: the closure uses nothing but the pool.
            let (in_use, free) = unsafe { apps.with_memory(|pool| (pool.in_use(), pool.largest_free())) };
            println!("= {in_use} in use, {} and {} free", free.0, free.1);
        }
        Command::Pool { .. } | Command::Unknown => println!("! the script is wrong"),
    }
    Ok(())
}

/// What a board's handler of faults ends with: without one, a fault would be a loop without end.
pub fn fault(at: usize) -> ! {
    println!("fault at {at:#x}");
    exit(3)
}

pub(crate) fn panic(info: &PanicInfo) -> ! {
    println!("{info}");
    exit(4)
}
