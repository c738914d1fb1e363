//! glibc's dlopen, from a file in the page cache, every symbol bound at once.

use super::{Row, missing};
use crate::workload::{Name, Workload};
use std::ffi::{CStr, CString, c_void};
use std::ptr::NonNull;

/// The shared object by dlopen, dlsym and dlclose.
pub(crate) struct Dlopen {
    path: CString,
    handle: Option<NonNull<c_void>>,
}

impl Dlopen {
    /// The row for `workload`.
    pub(crate) fn new(workload: &Workload) -> Result<Self, String> {
        let path = workload.shared.path.to_str().ok_or("the path of the shared object is not UTF-8")?;
        let path = CString::new(path).map_err(|error| format!("the path of the shared object: {error}"))?;
        Ok(Self { path, handle: None })
    }
}

impl Row for Dlopen {
    fn name(&self) -> &'static str {
        "dlopen"
    }

    fn load(&mut self) -> Result<(), String> {
        // SAFETY: the file is a workload, whose code is the generator's and which has no constructors.
        let handle = unsafe { libc::dlopen(self.path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        self.handle = Some(NonNull::new(handle).ok_or_else(last_error)?);
        Ok(())
    }

    fn look_up(&mut self, names: &[Name], addresses: &mut Vec<usize>) -> Result<(), String> {
        let handle = self.handle.ok_or("nothing is loaded")?;
        for name in names {
            // SAFETY: the handle is open and the name ends in NUL.
            let address = unsafe { libc::dlsym(handle.as_ptr(), name.c_text.as_ptr()) };
            addresses.push(NonNull::new(address).ok_or_else(|| missing(name))?.as_ptr() as usize);
        }
        Ok(())
    }

    fn unload(&mut self) -> Result<(), String> {
        let handle = self.handle.take().ok_or("nothing is loaded")?;
        // SAFETY: the handle is open, and is used no more.
        match unsafe { libc::dlclose(handle.as_ptr()) } {
            0 => Ok(()),
            _ => Err(last_error()),
        }
    }
}

fn last_error() -> String {
    // SAFETY: dlerror returns null or a string that lasts until this thread's next call.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "dlopen failed without a reason".to_owned();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
