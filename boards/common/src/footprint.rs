//! The smallest firmware, to be measured: it prints nothing but how deep its stack became.

use crate::{IN_C, IN_RUST, stack};
use core::hint::black_box;
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use semihosting::fd::AsFd;
use semihosting::process;
use semihosting::sys::arm_compat::{OpenMode, sys_open, sys_write_orig};

pub(crate) fn main(code: &'static mut [MaybeUninit<u8>], data: &'static mut [MaybeUninit<u8>]) -> ! {
    // The pools end where the statics do, but for a few words.
    let statics = code.as_ptr_range().end.max(data.as_ptr_range().end).addr() + 64;
    let work = prepare(code, data);
    let depth = stack::depth_of(statics, || work.run());
    print(depth);
    process::exit(0)
}

#[cfg(not(feature = "loader"))]
use nothing::prepare;
#[cfg(feature = "loader")]
use something::prepare;

/// The same firmware that loads nothing.
#[cfg(not(feature = "loader"))]
mod nothing {
    use super::*;

    pub(super) struct Work(&'static mut [MaybeUninit<u8>], &'static mut [MaybeUninit<u8>]);

    pub(super) fn prepare(
        code: &'static mut [MaybeUninit<u8>],
        data: &'static mut [MaybeUninit<u8>],
    ) -> Work {
        Work(code, data)
    }

    impl Work {
        #[inline(never)]
        pub(super) fn run(&self) {
            black_box((&self.0, &self.1, IN_C, IN_RUST));
        }
    }
}

#[cfg(feature = "loader")]
mod something {
    use super::*;
    use crate::host::HOST;
    use llext::{Error, NoopRawMutex, Pool, Registry};

    pub(super) struct Work(Registry<Pool<'static>, NoopRawMutex, 4>);

    pub(super) fn prepare(
        code: &'static mut [MaybeUninit<u8>],
        data: &'static mut [MaybeUninit<u8>],
    ) -> Work {
        Work(Registry::new(Pool::new(code, data)))
    }

    impl Work {
        #[inline(never)]
        pub(super) fn run(&self) {
            for (name, bytes, expected) in [("blink", IN_C, 10), ("mean", IN_RUST, 5)] {
                if !self.call(name, black_box(bytes)).is_ok_and(|result| result == expected) {
                    process::exit(1);
                }
            }
        }

        #[inline(never)]
        fn call(&self, name: &str, bytes: &[u8]) -> Result<u32, Error> {
            // SAFETY: the file is what this board's compiler made of one of the sources in boards/extensions.
            let extension = unsafe { self.0.loader(&HOST).load(name, bytes)? };
            // SAFETY: that is the function's type in both.
            let function = unsafe { extension.symbol::<extern "C" fn(u32) -> u32>(name)? };
            let result = function.call((5,));
            extension.unload().map_err(|refused| refused.error)?;
            Ok(result)
        }
    }
}

/// What a board's handler of faults ends with.
pub fn fault(_: usize) -> ! {
    process::exit(2)
}

pub(crate) fn panic(_: &PanicInfo) -> ! {
    process::exit(3)
}

/// A number in decimal, without the library's formatting, which would count as ours.
fn print(mut number: usize) {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    // The name that semihosting gives standard output.
    if let Ok(output) = sys_open(c":tt", OpenMode::WRONLY_TRUNC) {
        let _ = sys_write_orig(output.as_fd(), &digits);
    }
}
