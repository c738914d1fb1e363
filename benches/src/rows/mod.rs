//! What is measured: one way of loading a workload a row.

mod dlopen;
mod elf_loader;
mod limit;
mod llext;

pub(crate) use llext::Registry;

use crate::workload::{Name, Workload};

/// One way of loading one workload. The calls come in this order, again and again.
pub(crate) trait Row {
    /// The name in the table.
    fn name(&self) -> &'static str;
    /// Loads and links the workload, ready to be called.
    fn load(&mut self) -> Result<(), String>;
    /// The address of each name, in order.
    fn look_up(&mut self, names: &[Name], addresses: &mut Vec<usize>) -> Result<(), String>;
    /// Takes the workload away again.
    fn unload(&mut self) -> Result<(), String>;
}

/// Every row of a workload; llext's load into `registry`.
pub(crate) fn all<'w>(
    workload: &'w Workload,
    registry: &'w Registry,
) -> Result<Vec<Box<dyn Row + 'w>>, String> {
    Ok(vec![
        Box::new(llext::Llext::object(workload, registry)),
        Box::new(llext::Llext::object_file(workload, registry)),
        Box::new(llext::Llext::shared(workload, registry)),
        Box::new(llext::Llext::shared_file(workload, registry)),
        Box::new(llext::Llext::instance(workload, registry)?),
        Box::new(dlopen::Dlopen::new(workload)?),
        Box::new(elf_loader::ElfLoader::object(workload)),
        Box::new(elf_loader::ElfLoader::shared(workload)),
        Box::new(limit::Limit::new(workload)?),
    ])
}

fn missing(name: &Name) -> String {
    format!("{} was not found", name.text)
}
