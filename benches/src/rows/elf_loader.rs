//! The elf_loader crate: an object from a slice, a shared object from a file, as each is fastest there.

use super::{Row, missing};
use crate::workload::{Name, Workload};
use elf_loader::image::{LoadedCore, LoadedObject, ModuleHandle, SyntheticModule, SyntheticSymbol};
use elf_loader::input::{ElfBinary, ElfFile};
use elf_loader::{AddressSpaceId, Domain, Loader, Relocator};
use llext_bench::HOST;
use std::ops::Deref;

const LOADER: Loader = Loader::new();
const RELOCATOR: Relocator = Relocator::new();

/// A workload by elf_loader.
pub(crate) struct ElfLoader<'w> {
    kind: Kind,
    workload: &'w Workload,
    domain: Domain,
    host: ModuleHandle,
    loaded: Option<Loaded>,
}

#[derive(Clone, Copy)]
enum Kind {
    Object,
    Shared,
}

enum Loaded {
    Object(LoadedObject<()>),
    Shared(LoadedCore<()>),
}

impl<'w> ElfLoader<'w> {
    /// The row for the object.
    pub(crate) fn object(workload: &'w Workload) -> Self {
        Self::new(Kind::Object, workload)
    }

    /// The row for the shared object.
    pub(crate) fn shared(workload: &'w Workload) -> Self {
        Self::new(Kind::Shared, workload)
    }

    fn new(kind: Kind, workload: &'w Workload) -> Self {
        let domain = Domain::native(AddressSpaceId::PROCESS);
        let symbols = HOST.entries().iter().map(|export| {
            SyntheticSymbol::function(export.name(), std::ptr::without_provenance(export.address()))
        });
        let host = SyntheticModule::new(&domain, "host", symbols).into();
        Self { kind, workload, domain, host, loaded: None }
    }

    fn try_load(&self) -> elf_loader::Result<Loaded> {
        let mut run = LOADER.run(self.domain.clone());
        let host = [self.host.clone()];
        Ok(match self.kind {
            Kind::Object => {
                let raw = run.load_object(ElfBinary::new("workload.o", &self.workload.object.bytes))?;
                Loaded::Object(RELOCATOR.run(raw).with_modules(host)?.relocate()?)
            }
            Kind::Shared => {
                let path = self.workload.shared.path.to_str().expect("the path was checked");
                let raw = run.load_dylib(ElfFile::from_path(path)?)?;
                Loaded::Shared(RELOCATOR.run(raw).with_modules(host)?.relocate()?)
            }
        })
    }
}

impl Deref for Loaded {
    type Target = LoadedCore<()>;

    fn deref(&self) -> &LoadedCore<()> {
        match self {
            Self::Object(object) => object,
            Self::Shared(shared) => shared,
        }
    }
}

impl Row for ElfLoader<'_> {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Object => "elf_loader_o",
            Kind::Shared => "elf_loader_so",
        }
    }

    fn load(&mut self) -> Result<(), String> {
        self.loaded = Some(self.try_load().map_err(|error| error.to_string())?);
        Ok(())
    }

    fn look_up(&mut self, names: &[Name], addresses: &mut Vec<usize>) -> Result<(), String> {
        let loaded: &LoadedCore<()> = self.loaded.as_deref().ok_or("nothing is loaded")?;
        for name in names {
            // SAFETY: every export of a workload has this type.
            let symbol = unsafe { loaded.get::<extern "C" fn() -> i32>(&name.text) };
            let function = symbol.map_err(|error| error.to_string())?.ok_or_else(|| missing(name))?;
            addresses.push(*function as usize);
        }
        Ok(())
    }

    fn unload(&mut self) -> Result<(), String> {
        self.loaded.take().map(drop).ok_or_else(|| "nothing is loaded".to_owned())
    }
}
