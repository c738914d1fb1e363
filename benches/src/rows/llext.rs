//! llext: an object and a shared object, each from a slice that is lent and from a file that is read; and one more instance
//! of a shared object that is loaded.

use super::{Row, missing};
use crate::workload::{Binary, Name, Workload};
use llext::lock::StdRawMutex;
use llext::memory::Linux;
use llext::source::File;
use llext_bench::HOST;

/// Where the rows load into, one at a time, beside what one of them has loaded for good.
pub(crate) type Registry = llext::Registry<Linux, StdRawMutex, 2>;

type Handle<'w> = llext::Handle<'w, Linux, StdRawMutex, 2>;

/// What a row loads from.
enum Origin<'w> {
    /// Bytes that are lent.
    Bytes,
    /// A file that is read.
    File,
    /// An instance that is loaded.
    Instance(Handle<'w>),
}

/// A workload by llext.
pub(crate) struct Llext<'w> {
    name: &'static str,
    binary: &'w Binary,
    origin: Origin<'w>,
    registry: &'w Registry,
    handle: Option<Handle<'w>>,
}

impl<'w> Llext<'w> {
    /// The row for the object, its bytes lent.
    pub(crate) fn object(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_o", binary: &workload.object, origin: Origin::Bytes, registry, handle: None }
    }

    /// The row for the object, read from its file.
    pub(crate) fn object_file(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_o_file", origin: Origin::File, ..Self::object(workload, registry) }
    }

    /// The row for the shared object, its bytes lent.
    pub(crate) fn shared(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_so", binary: &workload.shared, ..Self::object(workload, registry) }
    }

    /// The row for the shared object, read from its file.
    pub(crate) fn shared_file(workload: &'w Workload, registry: &'w Registry) -> Self {
        Self { name: "llext_so_file", origin: Origin::File, ..Self::shared(workload, registry) }
    }

    /// The row for one more instance of the shared object.
    pub(crate) fn instance(workload: &'w Workload, registry: &'w Registry) -> Result<Self, String> {
        let loader = registry.loader(&HOST).keep_initial_data(true);
        // SAFETY: the code is the generator's; it expects of its host what the host's functions are.
        let first = unsafe { loader.load("first", workload.shared.bytes.as_slice()) };
        let origin = Origin::Instance(first.map_err(|error| error.to_string())?);
        Ok(Self { name: "llext_so_again", origin, ..Self::shared(workload, registry) })
    }
}

impl Row for Llext<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&mut self) -> Result<(), String> {
        let loader = self.registry.loader(&HOST);
        // SAFETY: the code is the generator's; it expects of its host what the host's functions are.
        let loaded = unsafe {
            match &self.origin {
                Origin::Bytes => loader.load("workload", self.binary.bytes.as_slice()),
                Origin::File => {
                    loader.load("workload", File::open(&self.binary.path).map_err(|error| error.to_string())?)
                }
                Origin::Instance(first) => loader.instantiate("workload", first),
            }
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
