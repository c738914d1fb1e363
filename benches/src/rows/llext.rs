//! llext: an object and a shared object, each from a slice that is lent and from a file that is read.

use super::{Row, missing};
use crate::workload::{Binary, Name, Workload};
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::source::File;
use llext_bench::HOST;

/// Where the rows load into, one at a time.
pub(crate) type Registry = llext::Registry<Linux, StdRawMutex, 1>;

type Handle<'w> = llext::Handle<'w, Linux, StdRawMutex, 1>;

/// A workload by llext.
pub(crate) struct Llext<'w> {
    name: &'static str,
    binary: &'w Binary,
    from_file: bool,
    registry: &'w Registry,
    handle: Option<Handle<'w>>,
}

impl<'w> Llext<'w> {
    /// The row for the object, its bytes lent.
    pub(crate) fn object(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_o", binary: &workload.object, from_file: false, registry, handle: None }
    }

    /// The row for the object, read from its file.
    pub(crate) fn object_file(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_o_file", from_file: true, ..Self::object(workload, registry) }
    }

    /// The row for the shared object, its bytes lent.
    pub(crate) fn shared(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_so", binary: &workload.shared, ..Self::object(workload, registry) }
    }

    /// The row for the shared object, read from its file.
    pub(crate) fn shared_file(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_so_file", from_file: true, ..Self::shared(workload, registry) }
    }
}

impl Row for Llext<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&mut self) -> Result<(), String> {
        let loader = self.registry.loader(&HOST);
        let loaded = if self.from_file {
            let file = File::open(&self.binary.path).map_err(|error| error.to_string())?;
            // SAFETY: the code is the generator's; it expects of its host what the host's functions are.
            unsafe { loader.load("workload", file) }
        } else {
            // SAFETY: as above.
            unsafe { loader.load("workload", self.binary.bytes.as_slice()) }
        };
        self.handle = Some(loaded.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn look_up(&mut self, names: &[Name], addresses: &mut Vec<usize>) -> Result<(), String> {
        let handle = self.handle.as_ref().ok_or("nothing is loaded")?;
        for name in names {
            // SAFETY: every export of a workload has this type.
            let symbol = unsafe { handle.symbol::<extern "C" fn() -> i32>(&name.text) };
            let symbol = symbol.map_err(|_| missing(name))?;
            // SAFETY: the handle stays until the workload is unloaded, after all calls.
            addresses.push(unsafe { symbol.as_fn() } as usize);
        }
        Ok(())
    }

    fn unload(&mut self) -> Result<(), String> {
        let handle = self.handle.take().ok_or("nothing is loaded")?;
        handle.unload().map(drop).map_err(|refused| refused.error.to_string())
    }
}
