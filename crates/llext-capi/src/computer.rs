//! Files of the computer that a debugger or an emulator runs on, where the processor has calls for that: `BKPT`, `SVC` or `HLT` on
//! Arm's, three instructions around `ebreak` on RISC-V.
//!
//! [Semihosting for AArch32 and AArch64](https://github.com/ARM-software/abi-aa/blob/2025Q1/semihosting/semihosting.rst): SYS_OPEN,
//! SYS_CLOSE, SYS_READ, SYS_SEEK, SYS_FLEN; [RISC-V's](https://github.com/riscv-non-isa/riscv-semihosting/blob/1.0/riscv-semihosting.adoc)
//! takes them over.

pub(crate) use calls::{close, open, read, seek, size};

#[cfg(all(
    target_os = "none",
    any(target_arch = "arm", target_arch = "aarch64", target_arch = "riscv32", target_arch = "riscv64")
))]
mod calls {
    use crate::errno::{EIO, ENOENT};
    use core::ffi::{CStr, c_int, c_void};
    use core::mem::MaybeUninit;
    use semihosting::fd::{BorrowedFd, OwnedFd};
    use semihosting::sys::arm_compat::{OpenMode, sys_close, sys_flen, sys_open, sys_seek};

    /// Opens a file for reading: its number, which is not -1.
    pub(crate) fn open(path: &CStr) -> Result<c_int, c_int> {
        sys_open(path, OpenMode::RDONLY_BINARY).map(OwnedFd::into_raw_fd).map_err(|_| -ENOENT)
    }

    /// A file's size, bytes.
    pub(crate) fn size(fd: c_int) -> Result<usize, c_int> {
        sys_flen(borrow(fd)).map_err(|_| -EIO)
    }

    /// Reads at most `len` bytes: how many, 0 at the end, or a negative number.
    ///
    /// # Safety
    /// `out` has room for them.
    pub(crate) unsafe fn read(fd: c_int, out: *mut c_void, len: usize) -> isize {
        // SAFETY: the caller vouches for the room, which need not hold anything.
        let out = unsafe { core::slice::from_raw_parts_mut(out.cast::<MaybeUninit<u8>>(), len) };
        semihosting::sys::read_uninit(borrow(fd), out).map_or(-EIO as isize, |(read, _)| read.len() as isize)
    }

    /// Goes to a position, bytes from the start.
    ///
    /// # Safety
    /// The file has that many bytes.
    pub(crate) unsafe fn seek(fd: c_int, position: usize) -> c_int {
        // SAFETY: the caller vouches for it.
        unsafe { sys_seek(borrow(fd), position) }.map_or(-EIO, |()| 0)
    }

    /// Closes a file.
    pub(crate) fn close(fd: c_int) {
        // SAFETY: whoever has the number gives it up. If the computer cannot close it, nothing can be done here.
        let _ = unsafe { sys_close(fd) };
    }

    fn borrow<'a>(fd: c_int) -> BorrowedFd<'a> {
        // SAFETY: `open` gave the number, and it is used for one call.
        unsafe { BorrowedFd::borrow_raw(fd) }
    }
}

#[cfg(not(all(
    target_os = "none",
    any(target_arch = "arm", target_arch = "aarch64", target_arch = "riscv32", target_arch = "riscv64")
)))]
mod calls {
    use crate::errno::ENOTSUP;
    use core::ffi::{CStr, c_int, c_void};

    pub(crate) fn open(_: &CStr) -> Result<c_int, c_int> {
        Err(-ENOTSUP)
    }

    pub(crate) fn size(_: c_int) -> Result<usize, c_int> {
        Err(-ENOTSUP)
    }

    pub(crate) unsafe fn read(_: c_int, _: *mut c_void, _: usize) -> isize {
        -ENOTSUP as isize
    }

    pub(crate) unsafe fn seek(_: c_int, _: usize) -> c_int {
        -ENOTSUP
    }

    pub(crate) fn close(_: c_int) {}
}
