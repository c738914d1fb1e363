//! Code that is written at one address and run at another, as on chips whose instruction bus sees RAM elsewhere.

use crate::common::compile;
use core::mem::MaybeUninit;
use llext::{Error, Pool};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

const SIZE: usize = 64 * 1024;
const SOURCE: &str = "static int n = 40; static const int two[] = {1, 2};
    static int add(int a) { return n += a; } int (*volatile call)(int) = add;
    int probe(void) { return call(two[1]); }
    void *place(void) { return (void *)probe; }";

/// One piece of memory that is seen twice: written here, run there.
struct Twice {
    written: *mut MaybeUninit<u8>,
    run: *mut MaybeUninit<u8>,
}

impl Twice {
    fn new() -> Self {
        let file = memfd_create("alias", MemfdFlags::empty()).unwrap();
        ftruncate(&file, SIZE as u64).unwrap();
        let map = |protection| {
            // SAFETY: the system chooses a place that is free.
            let at = unsafe {
                mmap(std::ptr::null_mut(), SIZE, ProtFlags::READ | protection, MapFlags::SHARED, &file, 0)
            };
            at.unwrap().cast()
        };
        Self { written: map(ProtFlags::WRITE), run: map(ProtFlags::EXEC) }
    }

    fn offset(&self) -> isize {
        self.run.addr().wrapping_sub(self.written.addr()) as isize
    }
}

impl Drop for Twice {
    fn drop(&mut self) {
        for at in [self.written, self.run] {
            // SAFETY: `new` mapped it with this size, and nothing borrows it any more.
            unsafe { munmap(at.cast(), SIZE) }.unwrap();
        }
    }
}

#[test]
fn code_runs_at_its_alias() -> Result<(), Error> {
    let object = compile("alias", SOURCE, &["-O2", "-mcmodel=large", "-fno-pic"]);
    let (memory, data) = (Twice::new(), Twice::new());
    // SAFETY: `Twice` mapped as many bytes for writing, which nothing else borrows.
    let code = unsafe { std::slice::from_raw_parts_mut(memory.written, SIZE) };
    // SAFETY: as for the code.
    let data = unsafe { std::slice::from_raw_parts_mut(data.written, SIZE) };
    // SAFETY: that is where the same bytes can be read and run.
    let pool = unsafe { Pool::aliased(code, data, memory.offset()) };
    let apps = crate::Pooled::new(pool);
    llext::exports! { static HOST; }
    // SAFETY: the source is above.
    let extension = unsafe { apps.loader(&HOST).load("alias", &object[..])? };
    // SAFETY: the types are those in the source.
    let (probe, place) = unsafe {
        let probe = extension.symbol::<extern "C" fn() -> i32>("probe")?;
        (probe, extension.symbol::<extern "C" fn() -> usize>("place")?)
    };
    assert_eq!([probe.call(()), probe.call(())], [42, 44]);
    assert!((memory.run.addr()..memory.run.addr() + SIZE).contains(&place.call(())));
    extension.unload().map_err(|refused| refused.error)?;
    // SAFETY: the closure uses nothing but the pool.
    assert_eq!(unsafe { apps.with_memory(|pool| pool.in_use()) }, 0);
    Ok(())
}
