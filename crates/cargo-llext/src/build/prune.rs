//! What is left out of the linked file: names nobody outside may use, and sections nobody loads.

use std::collections::HashSet;
use std::path::Path;

use object::build::Id;
use object::build::elf::{Builder, SectionData};
use object::elf;

use crate::elf::Extension;
use crate::error::Error;

/// Sections that only the linker, a debugger or nobody reads; and those of unwinding, for which a loaded extension is
/// never registered.
const USELESS: [&str; 11] = [
    ".comment",
    ".note.GNU-stack",
    ".note.gnu.property",
    ".llvmbc",
    ".llvmcmd",
    ".llvm_addrsig",
    ".debug",
    ".eh_frame",
    ".gcc_except_table",
    ".ARM.exidx",
    ".ARM.extab",
];

/// Makes the linked file small and closed: exports stay global, imports stay, the rest becomes local or goes. The names
/// of local symbols stay on demand.
pub(crate) fn prune(linked: &[u8], file: &Path, names: bool) -> Result<Vec<u8>, Error> {
    let shown = file.display().to_string();
    let bad =
        |reason: object::build::Error| Error::BadObject { file: shown.clone(), reason: reason.to_string() };
    let public = exported_symbols(&shown, linked)?;
    let mut builder = Builder::read(linked).map_err(bad)?;

    close_symbols(&mut builder, public.as_ref());
    // From here on only exports, commons and imports are global.
    drop_sections(&mut builder);
    drop_symbols(&mut builder, names);
    drop_empty_sections(&mut builder);
    for section in &mut builder.sections {
        section.sh_flags = elf::SectionFlags(section.sh_flags.0 & !elf::SHF_GNU_RETAIN.0);
    }

    let mut bytes = Vec::new();
    builder.write(&mut bytes).map_err(bad)?;
    Ok(bytes)
}

/// The indices of the symbols that the export table points to; none without a table.
fn exported_symbols(shown: &str, linked: &[u8]) -> Result<Option<HashSet<usize>>, Error> {
    let extension = Extension::parse(shown, linked)?;
    if !extension.has_table() {
        return Ok(None);
    }
    Ok(Some(
        extension.exports()?.into_iter().filter_map(|export| export.symbol).map(|index| index.0).collect(),
    ))
}

fn drop_sections(builder: &mut Builder<'_>) {
    for section in &mut builder.sections {
        section.delete = USELESS.iter().any(|name| section.name.starts_with(name.as_bytes()));
    }
    drop_orphaned_relocations(builder);
}

/// Relocations go with what they relocate.
fn drop_orphaned_relocations(builder: &mut Builder<'_>) {
    let tables: Vec<_> =
        builder.sections.iter().filter_map(|table| Some((table.id(), table.sh_info_section?))).collect();
    for (table, target) in tables {
        builder.sections.get_mut(table).delete |= builder.sections.get(target).delete;
    }
    builder.delete_orphan_symbols();
}

/// Makes every defined symbol local that is not public; without an export table every visible global is public.
fn close_symbols(builder: &mut Builder<'_>, public: Option<&HashSet<usize>>) {
    for symbol in &mut builder.symbols {
        // The builder leaves the null symbol out.
        let index = symbol.id().index() + 1;
        let hidden = matches!(symbol.st_other.visibility(), elf::STV_HIDDEN | elf::STV_INTERNAL);
        let stays = public.map_or(!hidden, |public| public.contains(&index));
        let defined = symbol.section.is_some() || symbol.st_shndx == elf::SHN_ABS;
        if defined && !stays {
            symbol.set_st_info(elf::STB_LOCAL, symbol.st_type());
        }
    }
}

/// Drops local and undefined symbols that no relocation names, and the names of the other local ones.
fn drop_symbols(builder: &mut Builder<'_>, names: bool) {
    let mut named = HashSet::new();
    for section in &builder.sections {
        if let SectionData::Relocation(relocations) = &section.data {
            named.extend(relocations.iter().filter_map(|relocation| Some(relocation.symbol?.index())));
        }
    }
    for symbol in &mut builder.symbols {
        let local = symbol.st_bind() == elf::STB_LOCAL;
        let undefined = symbol.section.is_none() && symbol.st_shndx == elf::SHN_UNDEF;
        let code_or_data = matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_OBJECT);
        let kept = named.contains(&symbol.id().index()) || (local && code_or_data && names);
        symbol.delete |= (local || undefined) && !kept;
        if local && !names {
            symbol.name = Default::default();
        }
    }
}

fn drop_empty_sections(builder: &mut Builder<'_>) {
    let used: HashSet<usize> =
        builder.symbols.iter().filter_map(|symbol| Some(symbol.section?.index())).collect();
    for section in &mut builder.sections {
        let empty = match &section.data {
            SectionData::Data(data) => data.is_empty(),
            SectionData::UninitializedData(size) => *size == 0,
            SectionData::Relocation(relocations) => relocations.is_empty(),
            _ => false,
        };
        section.delete |= empty && !used.contains(&section.id().index());
    }
    drop_orphaned_relocations(builder);
}
